"""What holds beside fleet files, on the command line for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from launcher.fleet_file.options import Given, Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What whoever reads files has to say to them.

    Attributes:
        supplied: paths to secrets for those that need them and name none, by the names of
            `cp_image.api.secrets`; {id} is filled in.
        from_pki: the names of those that a test PKI has.
        over: options that hold whatever the files say.
        under: options that hold where the files say nothing.
    """

    supplied: Mapping[str, str] = field(default_factory=dict)
    from_pki: frozenset[str] = frozenset()
    over: Mapping[str, Any] = field(default_factory=dict)
    under: Mapping[str, Any] = field(default_factory=dict)

    def options(self, values: Mapping[str, Any], line: int, path: str) -> Options:
        """Return options as if they stood in an entry."""
        return Options(
            values={
                name: Given(value=value, line=line, path=f"{path}.{name}")
                for name, value in values.items()
            }
        )
