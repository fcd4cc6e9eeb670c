"""From specifications to a fleet file in YAML; reading it gives the same ones again."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from launcher.api import Specification
from launcher.fleet import entry
from launcher.fleet_file import keys
from launcher.fleet_file.placeholders import escape
from launcher.fleet_file.yaml_text import plain

_SAFE: Final = re.compile(
    r"[A-Za-z0-9_./](?:[A-Za-z0-9_./ +\-]*[A-Za-z0-9_./+\-])?|wss?://[A-Za-z0-9_./:@\-]+"
)
_SECRETS_NOTE: Final = """\
# Passwords, certificates and keys are not in this file. Where it says secrets: true, name them
# (password_file, root_ca, client_cert, client_key, pki), here or on the command line.
"""


def write(specifications: Sequence[Specification], title: str = "") -> str:
    """Return a fleet file.

    What all charge points have alike stands in `defaults`. No secret is in it.

    Args:
        specifications: of the charge points.
        title: a comment for the first line.
    """
    entries = [_escaped(entry(each)) for each in specifications]
    common, common_configuration = _common(entries)
    lines = [f"# {' '.join(title.split())}\n"] if title else []
    if any(each.secrets for each in specifications):
        lines.append(_SECRETS_NOTE)
    if common or common_configuration:
        lines.append("defaults:\n")
        lines += _options(common, common_configuration, "  ")
    lines.append("charge_points:\n" if entries else "charge_points: []\n")
    for each in entries:
        own = {name: value for name, value in each.items() if name not in common}
        configuration = {
            name: value
            for name, value in own.pop(keys.CONFIGURATION, {}).items()
            if name not in common_configuration
        }
        text = "".join(_options(own, configuration, "    "))
        lines.append(f"  - {text.removeprefix('    ')}")
    return "".join(lines)


def _escaped(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: escape(value)
        if isinstance(value, str) and name in keys.FIELDS and keys.FIELDS[name].has_placeholders
        else value
        for name, value in fields.items()
    }


def _common(entries: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields, and the configuration keys, that several entries all have alike."""
    if len(entries) < 2:
        return {}, {}
    first, *others = entries
    common = {
        name: value
        for name, value in first.items()
        if name not in {keys.ID, keys.CONFIGURATION}
        and all(name in each and each[name] == value for each in others)
    }
    configuration = {
        name: value
        for name, value in first.get(keys.CONFIGURATION, {}).items()
        if all(each.get(keys.CONFIGURATION, {}).get(name) == value for each in others)
    }
    return common, configuration


def _options(fields: Mapping[str, Any], configuration: Mapping[str, str], margin: str) -> list[str]:
    lines = [f"{margin}{name}: {_scalar(value)}\n" for name, value in fields.items()]
    if configuration:
        lines.append(f"{margin}{keys.CONFIGURATION}:\n")
        lines += [
            f"{margin}  {_scalar(name)}: {_configuration_value(value)}\n"
            for name, value in configuration.items()
        ]
    return lines


def _configuration_value(text: str) -> str:
    """Return a text without quotes where what stands there is taken for just that text."""
    is_number = isinstance(plain(text), int | float)
    as_it_is = text in {"true", "false"} or (is_number and not isinstance(plain(text), bool))
    return text if as_it_is else _scalar(text)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _SAFE.fullmatch(text) and plain(text) == text:
        return text
    return '"' + "".join(_character(each) for each in text) + '"'


def _character(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\U{ord(character):08x}"
