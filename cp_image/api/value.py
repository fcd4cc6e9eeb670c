"""What values are made of: frozen, slotted, keyword-only.

A dataclass says the same, but is compiled from text when it is imported: with 170 of them that was
a third of the time in which a charge point starts, and 2 MiB of each.
"""

from typing import Any, ClassVar, dataclass_transform

from msgspec import Struct, StructMeta, field
from msgspec.structs import replace

__all__ = ["Value", "field", "replace"]


class _ValueType(StructMeta):
    """Says once what holds for all values; a class can ask for more: ``omit_defaults=True``."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **settings: Any
    ) -> Any:
        wanted = {"frozen": True, "kw_only": True} | settings
        return super().__new__(cls, name, bases, namespace, **wanted)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Value(Struct, metaclass=_ValueType, frozen=True):
    """A value; a subclass names its fields, and is compared and hashed by them."""

    UNSEEN: ClassVar[frozenset[str]] = frozenset()
    """Fields that must stand in no log and no traceback: nothing that shows the value has them."""

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        seen = (name for name in self.__struct_fields__ if name not in self.UNSEEN)
        return [(name, getattr(self, name)) for name in seen]
