"""The keys of a fleet file: those of a specification, those of secrets, and its own."""

import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import Meta

from cp_image.api import secrets
from cp_image.api.payloads import CHARGE_POINT_ID_RULE
from launcher.api import Specification

Path = Annotated[str, Meta(min_length=1, max_length=4096)]
Password = Annotated[str, Meta(min_length=1, max_length=132)]
"""Twice 64 digits behind ``hex:``, at most."""
Count = Annotated[int, Meta(ge=0, le=10_000)]
First = Annotated[int, Meta(ge=0, le=1_000_000_000)]

ID: Final = "id"
CONFIGURATION: Final = "configuration"
PASSWORD: Final = "password"  # noqa: S105 - its name
PASSWORD_FILE: Final = "password_file"  # noqa: S105 - its name
PKI: Final = "pki"
COUNT: Final = "count"
FIRST: Final = "first"
TEMPLATE: Final = "template"
EXTENDS: Final = "extends"
CHARGE_POINTS: Final = "charge_points"
SERIAL: Final = "serial"
_OF_SERIAL: Final = "number of the charge point; its id unless given, '' for none."
DEFAULTS: Final = "defaults"
TEMPLATES: Final = "templates"
IGNORED_PREFIX: Final = "x-"
"""Keys at the top that begin so are there for anchors alone."""

SECRET_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        PASSWORD_FILE: secrets.AUTHORIZATION_KEY,
        "root_ca": secrets.ROOT_CA,
        "client_cert": secrets.CLIENT_CERT,
        "client_key": secrets.CLIENT_KEY,
        "manufacturer_ca": secrets.MANUFACTURER_CA,
    }
)
"""The files of `cp_image.api.secrets` by the keys that say where their content is."""

_IN_PATHS: Final = "A path begins at the folder of the fleet file; {id} and {n} are filled in."
_SECRETS: Final[tuple[tuple[str, Any, str], ...]] = (
    (PASSWORD, Password, "for HTTP Basic authentication; hex:… for raw bytes"),
    (PASSWORD_FILE, Path, f"file with that password. {_IN_PATHS}"),
    ("root_ca", Path, f"PEM: whom the certificate of the CSMS must come from. {_IN_PATHS}"),
    ("client_cert", Path, f"PEM: its certificate. {_IN_PATHS}"),
    ("client_key", Path, f"PEM: the key of it. {_IN_PATHS}"),
    ("manufacturer_ca", Path, f"PEM: whom signatures of firmware must come from. {_IN_PATHS}"),
    (
        PKI,
        Path,
        "folder of simuctl pki: gives what a security profile needs and is not named: root_ca, "
        f"client_cert, client_key, and manufacturer_ca. {_IN_PATHS}",
    ),
)
_OF_ENTRIES: Final[tuple[tuple[str, Any, str], ...]] = (
    (COUNT, Count, "how many charge points the entry stands for; their ids have a place {n:04}"),
    (FIRST, First, "the number of the first of them, else 1"),
    (TEMPLATE, str, "name of the template it is made after"),
)
_OF_TEMPLATES: Final[tuple[tuple[str, Any, str], ...]] = (
    (EXTENDS, str, "name of the template it is made after"),
)
_OTHER_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "url": "central_system",
        "csms": "central_system",
        "phases": "nb_phases",
        "connectors": "nb_connectors",
        "config": CONFIGURATION,
        "memory": "memory_mb",
        "user": "authorization_user",
        "charge_point_id": ID,
        "name": ID,
        "limit": "max_setpoint",
        "networks": "networking",
    }
)
"""What people write who remember the command line."""
_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ID: CHARGE_POINT_ID_RULE,
        "authorization_user": "a user name has no colon and no control characters",
    }
)
"""What patterns say."""
_PLAIN: Final = (
    ("`int`", "a whole number"),
    ("`float`", "a number"),
    ("`str`", "a text"),
    ("`bool`", "true or false"),
    ("`datetime`", "an instant, as in 2026-01-31T12:00:00Z,"),
    ("RFC3339 encoded datetime", "instant: expected one as in 2026-01-31T12:00:00Z"),
)
_NO_PLACEHOLDERS: Final = frozenset({PASSWORD, "vendor", "model", TEMPLATE, EXTENDS})
_ATTRIBUTE: Final = re.compile(r"(?P<name>\w+): (?P<text>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key with a single value.

    Attributes:
        type: as msgspec takes it.
        description: for people.
    """

    name: str
    type: Any
    description: str

    @property
    def is_text(self) -> bool:
        """Whether any text is taken, so that a number is taken for one, too."""
        bare = get_args(self.type)[0] if get_origin(self.type) is Annotated else self.type
        return bare is str

    @property
    def words(self) -> list[str]:
        """The only values that are taken; empty where there are others."""
        is_enum = isinstance(self.type, type) and issubclass(self.type, Enum)
        return [str(each.value) for each in self.type] if is_enum else []

    @property
    def has_placeholders(self) -> bool:
        """Whether {n} and {id} are filled in."""
        return self.is_text and self.name not in _NO_PLACEHOLDERS

    def check(self, value: Any) -> str:
        """Return why a value cannot be taken; empty where it can."""
        try:
            msgspec.convert(value, self.type)
        except msgspec.ValidationError as exc:
            if self.words:
                return f"expected one of {', '.join(self.words)}"
            return _RULES.get(self.name, "") if "regex" in str(exc) else rule(exc)
        return ""


def rule(error: msgspec.ValidationError) -> str:
    """Return the rule in an error of msgspec in plain words."""
    text = str(error)
    for type_name, plain in _PLAIN:
        text = text.replace(type_name, plain)
    return text[:1].lower() + text[1:]


def _described(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return what the docstring of a struct says of its attributes."""
    told: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(struct.__doc__ or "").partition("Attributes:\n")[2].splitlines():
        found = _ATTRIBUTE.fullmatch(line.strip()) if line.startswith("    ") else None
        if found is not None and not line.startswith("     "):
            name = found["name"]
            told[name] = found["text"]
        elif name:
            told[name] += f" {line.strip()}"
    return told


def _of_specification() -> dict[str, Key]:
    told = {**_described(Specification), SERIAL: _OF_SERIAL}
    return {
        field.name: Key(name=field.name, type=field.type, description=told.get(field.name, ""))
        for field in msgspec.structs.fields(Specification)
        if field.name != CONFIGURATION
    }


def _keys(rows: Iterable[tuple[str, Any, str]]) -> dict[str, Key]:
    return {name: Key(name=name, type=type_, description=text) for name, type_, text in rows}


FIELDS: Final[Mapping[str, Key]] = MappingProxyType(_of_specification())
"""Of a specification, but for the configuration, which is a mapping."""
OPTIONS: Final[Mapping[str, Key]] = MappingProxyType(
    {**{name: key for name, key in FIELDS.items() if name != ID}, **_keys(_SECRETS)}
)
"""What defaults, templates and entries may have, beside the configuration."""
OF_ENTRIES: Final[Mapping[str, Key]] = MappingProxyType(
    {ID: FIELDS[ID], **_keys(_OF_ENTRIES), **OPTIONS}
)
OF_TEMPLATES: Final[Mapping[str, Key]] = MappingProxyType({**_keys(_OF_TEMPLATES), **OPTIONS})
AT_THE_TOP: Final = (CHARGE_POINTS, DEFAULTS, TEMPLATES)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question after what a misspelt word may mean; empty where nothing is like it."""
    close = meant_by(word, known)
    return f"did you mean {' or '.join(close)}?" if close else ""


def meant_by(word: str, known: Iterable[str]) -> list[str]:
    """Return what a misspelt word may mean, the likeliest first."""
    by_folded = {each.casefold(): each for each in known}
    meant = _OTHER_WORDS.get(word.casefold().replace("-", "_"), "")
    close = [meant] if meant in by_folded.values() else []
    folded = word.casefold().replace("-", "_")
    close += [by_folded[each] for each in difflib.get_close_matches(folded, by_folded, n=2)]
    return list(dict.fromkeys(close))
