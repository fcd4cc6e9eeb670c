"""What holds for every value of the charge point."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from rich.pretty import pretty_repr

from cp_image.api.secrets import SecurityProfile
from cp_image.api.value import Value, field, replace
from cp_image.broker_access import BrokerAccess
from cp_image.core.effects import SetCredentials
from cp_image.core.security_settings import SecuritySettings
from cp_image.shell.csms_access import Access
from cp_image.shell.key_maker import MadeKey
from cp_image.shell.secret_files import GivenSecrets

ROOT = Path(__file__).parents[3]


class Socket(Value):
    number: int
    names: dict[str, str] = field(default_factory=dict)


class Locked(Value, omit_defaults=True):
    key: str
    by: str = ""

    UNSEEN: ClassVar = frozenset({"key"})


def test_it_is_frozen_slotted_and_keyword_only() -> None:
    socket = Socket(number=1)
    with pytest.raises(AttributeError):
        socket.number = 2  # type: ignore[misc] # what is tried
    with pytest.raises(AttributeError):
        socket.other = 2  # type: ignore[attr-defined] # what is tried
    with pytest.raises(TypeError):
        Socket(1)  # type: ignore[call-arg] # what is tried
    assert not hasattr(socket, "__dict__")


def test_it_is_compared_and_hashed_by_its_fields() -> None:
    assert Socket(number=1) == Socket(number=1) != Socket(number=2)
    assert len({Locked(key="a"), Locked(key="a"), Locked(key="b")}) == 2
    assert replace(Socket(number=1), number=2) == Socket(number=2)
    assert Socket(number=1).names is not Socket(number=1).names


def test_a_class_can_ask_for_more() -> None:
    assert msgspec.json.encode(Locked(key="k")) == b'{"key":"k"}'


def test_what_must_not_be_seen_is_not_shown() -> None:
    assert repr(Locked(key="k", by="me")) == "Locked(by='me')"


SECRETIVE = [
    BrokerAccess(user="me", password="sesame"),
    SecuritySettings(authorization_key=b"sesame"),
    SetCredentials(profile=SecurityProfile.BASIC, authorization_key=b"sesame"),
    GivenSecrets(authorization_key=b"sesame"),
    Access(url="ws://h", headers={"Authorization": "sesame"}),
    MadeKey(private_key=b"sesame", csr="csr", public_key="00"),
]


@pytest.mark.parametrize("value", SECRETIVE, ids=lambda value: type(value).__name__)
def test_secrets_are_not_shown(value: Value) -> None:
    shown = repr(value)
    assert "sesame" not in shown
    assert shown.startswith(f"{type(value).__name__}(")
    assert "sesame" not in pretty_repr(value)  # as a traceback on a terminal shows it


def values() -> Iterator[type[Value]]:
    for path in (ROOT / "cp_image").rglob("*.py"):
        if path.name not in {"__main__.py", "__init__.py"}:
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    open_ = [Value]
    while open_:
        for each in open_.pop().__subclasses__():
            if each.__module__.startswith("cp_image."):
                yield each
            open_.append(each)


def test_all_values_of_the_charge_point_are_frozen_and_keyword_only() -> None:
    found = list(values())
    assert len(found) > 150
    for each in found:
        assert each.__struct_config__.frozen, each
        assert each.__match_args__ == (), each
