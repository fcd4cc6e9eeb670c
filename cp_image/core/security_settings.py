"""What a station is given for its security: fixed when it is built."""

from typing import ClassVar

from cp_image.api.secrets import SecurityProfile
from cp_image.api.value import Value
from cp_image.core.identity import KeyKind


class SecuritySettings(Value):
    """What stands in the files of `cp_image.api.secrets` and beside them.

    Attributes:
        profile: the least; what a CSMS has raised it to stays.
        authorization_key: None without one.
        root_ca: PEM of whom the CSMS's certificate must come from; empty without.
        client_cert: PEM of the charge point's own chain, the leaf first; empty without.
        manufacturer_ca: PEM of whom firmware must come from; empty without.
        key_kind: of the keys that are made for certificates.
        warning: what is not verified, for people; empty where all is.
    """

    profile: SecurityProfile = SecurityProfile.NONE
    authorization_key: bytes | None = None
    root_ca: str = ""
    client_cert: str = ""
    manufacturer_ca: str = ""
    key_kind: KeyKind = KeyKind.EC_P256
    warning: str = ""

    UNSEEN: ClassVar = frozenset({"authorization_key"})
