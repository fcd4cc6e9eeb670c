"""One environment variable of the charge point: what it means, what it may be, how it is read."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from cp_image.api.payloads import ChargePointType
from cp_image.api.value import Value

PREFIX: Final = "SIMU_"


class VariableError(Exception):
    """A variable is wrong; the text names it, its value and the rule."""


class UntoldError(Exception):
    """A value is wrong and must not be shown; the text says why."""


class Variable(Value):
    """One environment variable; an empty one counts as unset.

    Attributes:
        field: of `Config`; the name is this in capitals after the prefix.
        read: makes the value; raises ValueError where the text is not allowed.
        meaning: what it is for.
        rule: what it may be.
        default: None where there is none.
        dc_default: where a DC charge point has another one.
        shown_default: where the default is not a text.
    """

    field: str
    read: Callable[[str], Any]
    meaning: str
    rule: str
    default: str | None = None
    dc_default: str | None = None
    shown_default: str = ""

    @property
    def name(self) -> str:
        """The name in the environment."""
        return f"{PREFIX}{self.field.upper()}"

    @property
    def description(self) -> str:
        """The variable and what is to be known of it, for people."""
        default = self.shown_default or self.default or "empty"
        if self.dc_default is not None:
            default = f"{default}, for DC {self.dc_default}"
        return f"  {self.name}\n      {self.meaning}; {self.rule} [{default}]"

    def default_of(self, kind: ChargePointType | None) -> str | None:
        """Return the default of one type of charge point."""
        is_dc = kind is ChargePointType.DC
        return self.dc_default if is_dc and self.dc_default else self.default

    def value(self, environ: Mapping[str, str], default: str | None) -> Any:
        """Return what an environment says of it; None where it says nothing, nor does a default.

        Raises:
            VariableError: the text is not allowed; says so for people.
        """
        text = environ.get(self.name) or default
        if text is None:
            return None
        try:
            text.encode()  # UnicodeEncodeError is a ValueError
            return self.read(text)
        except UntoldError as exc:
            raise VariableError(f"{self.name}: {exc}") from exc
        except ValueError as exc:
            raise VariableError(f"{self.name}={text!r} is not allowed: {self.rule}") from exc


def to(kind: Any) -> Callable[[str], Any]:
    """Return what reads a value of a msgspec type."""

    def convert(text: str) -> Any:
        return msgspec.convert(text, kind, strict=False)

    return convert
