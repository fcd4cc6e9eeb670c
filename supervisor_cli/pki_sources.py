"""What of a charge point's secrets a test PKI has, so that no option need name it."""

from collections.abc import Mapping
from pathlib import Path

from cp_image.api import secrets
from cp_image.api.secrets import SecurityProfile
from supervisor_cli import pki
from supervisor_cli.pki import Pki
from supervisor_cli.secret_files import PLACE_OF_ID


def from_pki(
    directory: Path | None,
    environment: str,
    profile: SecurityProfile,
    given: Mapping[str, Path],
) -> dict[str, Path]:
    """Return the files that a PKI has and that are not given, by their name in a container.

    Args:
        directory: of the PKI; None is the environment's own, which need not be there, and of
            which only what the security profile needs is taken.
        environment: whose PKI it is otherwise.
        profile: the certificate of the charge point goes with profile 3.
        given: by the name of the file, see `cp_image.api.secrets`.

    Raises:
        SimuError: the directory holds no PKI.
    """
    has = {secrets.ROOT_CA: f"{pki.ROOT}.pem", secrets.MANUFACTURER_CA: f"{pki.ROOT}.pem"}
    if profile is SecurityProfile.MUTUAL_TLS and secrets.CLIENT_CERT not in given:
        has[secrets.CLIENT_CERT] = f"{pki.CHARGE_POINTS}/{PLACE_OF_ID}.pem"
        has[secrets.CLIENT_KEY] = f"{pki.CHARGE_POINTS}/{PLACE_OF_ID}.key"
    wanted = has.keys() - given.keys()
    if directory is None:
        directory = pki.default_directory(environment)
        wanted &= set(secrets.needed(profile))
        if not Pki(directory).root_ca.is_file():
            return {}
    opened = Pki.open(directory)
    return {name: opened.directory / has[name] for name in has if name in wanted}
