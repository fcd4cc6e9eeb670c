"""A charge point as a fleet file asks for it: what it is to be, and where its secrets are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from launcher.api import Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedChargePoint:
    """A charge point that a fleet file asks for.

    Attributes:
        folder: where relative paths begin.
        paths: where its secrets are, by the names of `cp_image.api.secrets`.
        from_pki: the names of those that a test PKI has.
        password: stands in the file itself; None where it does not; `repr` does not show it.
        missing: the secrets its security profile needs and nothing names, by the same names.
        origin: file and line, for people.
    """

    specification: Specification
    folder: str
    paths: Mapping[str, str] = field(default_factory=dict)
    from_pki: frozenset[str] = frozenset()
    password: str | None = field(default=None, repr=False)
    missing: tuple[str, ...] = ()
    origin: str = ""

    @property
    def id(self) -> str:
        """Of the charge point."""
        return self.specification.id

    @property
    def has_secrets(self) -> bool:
        """Whether any are named for it."""
        return bool(self.paths) or self.password is not None
