"""What the files of secrets hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile


@given(st.binary(min_size=1, max_size=secrets.LONGEST_FILED_KEY_BYTES))
def test_a_key_comes_back_from_its_file(key: bytes) -> None:
    assert secrets.authorization_key(secrets.authorization_key_file(key)) == key


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"word", b"word"),
        (b"word\n", b"word"),
        (b"word\r\n", b"word"),
        (b"word \n\n", b"word \n"),
        (b"hex:00FF0a\n", b"\x00\xff\n"),
        (b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_key_may_stand_there_as_it_is(content: bytes, key: bytes) -> None:
    assert secrets.authorization_key(content) == key


@pytest.mark.parametrize("content", [b"", b"\n", b"hex:", b"hex:0", b"hex:zz", b"x" * 65])
def test_what_is_no_key_is_refused_without_being_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"hexadecimal digits|has 1 to 64 bytes") as refused:
        secrets.authorization_key(content)
    assert b"zz" not in str(refused.value).encode()


def test_what_each_profile_takes() -> None:
    assert [secrets.needed(profile) for profile in SecurityProfile] == [
        (),
        ("authorization_key",),
        ("authorization_key", "root_ca.pem"),
        ("root_ca.pem", "client_cert.pem", "client_key.pem"),
    ]
