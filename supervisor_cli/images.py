"""Builds the container images through the Docker SDK, each from the files of this installation.

An image's tag is the digest of the files it was built from, so that it is built again exactly when
they change, and several installations share an engine without taking each other's images.
``latest`` is the one that was made sure of last, for use by hand.
"""

import contextlib
import hashlib
import io
import os
import re
import subprocess
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
from docker.errors import APIError, ImageNotFound

from supervisor_cli.engine import explain
from supervisor_cli.errors import SimuError

CHARGE_POINT: Final = "cp-simu/charge-point"
LAUNCHER: Final = "cp-simu/launcher"
BROKER: Final = "cp-simu/broker"
LOCALHOST_PROXY: Final = "cp-simu/localhost-proxy"
BASE: Final = "debian:trixie-slim"

_LABEL_INSTALLATION: Final = "cp-simu.installation"
_TAG_DIGITS: Final = 12
_HOME: Final = Path(__file__).resolve().parent.parent
_INDEX_SETTINGS: Final = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")
_CA_SETTINGS: Final = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_CA_OF_SYSTEM: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_LEFT_OUT: Final = frozenset({"__pycache__", "pictures", "ca-bundle.pem"})
_PROXY_SETTINGS: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")

Report = Callable[[str], None]
"""Hears, in a few words each, what is going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """What an image is built from.

    Attributes:
        folders: path in the build context -> folder on this machine; "" is the context's root.
        dockerfile: its path in the build context.
        needs_packages: whether the build installs Python packages, and so honours the host's
            package index and certificate authorities.
    """

    name: str
    folders: Mapping[str, Path]
    dockerfile: str = "Dockerfile"
    needs_packages: bool = False

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield (path in the context, file), sorted."""
        for prefix, folder in sorted(self.folders.items()):
            for file in sorted(folder.rglob("*")):
                if file.is_file() and not _LEFT_OUT.intersection(file.parts):
                    yield str(Path(prefix) / file.relative_to(folder)), file

    def digest(self) -> str:
        """Return the digest of all that goes into the build context."""
        digest = hashlib.sha256()
        for name, file in self.files():
            content = file.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def reference(self) -> str:
        """Return the image of these files as the engine knows it: name and tag."""
        return f"{self.name}:{self.digest()[:_TAG_DIGITS]}"


SOURCES: Final = (
    ImageSource(name=BROKER, folders={"": _HOME / "compose" / "broker"}),
    ImageSource(name=LOCALHOST_PROXY, folders={"": _HOME / "compose" / "localhost_proxy"}),
    ImageSource(name=CHARGE_POINT, folders={"": _HOME / "cp_image"}, needs_packages=True),
    ImageSource(
        name=LAUNCHER,
        folders={
            part: _HOME / part for part in ("cp_image", "launcher", "supervisor_cli", "compose")
        },
        dockerfile="launcher/Dockerfile",
        needs_packages=True,
    ),
)


def reference(name: str) -> str:
    """Return an image of this installation, for example ``cp-simu/broker:0f5a9c31d2b7``."""
    return next(source.reference() for source in SOURCES if source.name == name)


def is_current(client: docker.DockerClient, source: ImageSource) -> bool:
    """Return whether the engine has the image as it would be built now."""
    return _has(client, source.reference())


def ensure_images(
    client: docker.DockerClient, report: Report, sources: Sequence[ImageSource] = SOURCES
) -> list[str]:
    """Build what is missing or outdated; return the names of the images that were built.

    Raises:
        SimuError: a build fails; the text ends with what it printed last.
    """
    stale = [source for source in sources if not is_current(client, source)]
    if stale:
        _ensure_base(client, report)
    for source in stale:
        _build(client, source, report)
    for source in sources:
        client.api.tag(source.reference(), source.name, "latest")
    return [source.name for source in stale]


def _ensure_base(client: docker.DockerClient, report: Report) -> None:
    if _has(client, BASE):
        return
    report(f"pulling {BASE}")
    repository, tag = BASE.split(":")
    try:
        client.images.pull(repository, tag=tag)
    except (APIError, ImageNotFound) as exc:
        report(f"no image registry can be reached ({explain(exc)[:80]})")
    else:
        return
    report(f"making {BASE} with debootstrap instead")
    script = _HOME / "compose" / "base_image.sh"
    last: deque[str] = deque(maxlen=8)
    with tempfile.NamedTemporaryFile(suffix=".tar") as tar:
        with subprocess.Popen(  # noqa: S603 - our own script, no argument from outside
            ["/bin/bash", str(script)], stdout=tar, stderr=subprocess.PIPE, text=True
        ) as made:
            for line in made.stderr or ():
                last.append(line.rstrip())
                report(f"making {BASE}: {line.strip()[:80]}")
        if made.returncode != 0:
            raise SimuError(
                f"cannot make {BASE}:\n" + "\n".join(last),
                hint=f"run as root, or get {BASE} yourself: docker pull {BASE}",
            )
        client.api.import_image_from_file(tar.name, repository=repository, tag=tag)


def _build(client: docker.DockerClient, source: ImageSource, report: Report) -> None:
    report(f"building {source.name}")
    arguments, network = _build_arguments(source)
    lines: list[str] = []
    image = source.reference()
    try:
        stream = client.api.build(
            fileobj=_context(source),
            custom_context=True,
            dockerfile=source.dockerfile,
            tag=image,
            rm=True,
            forcerm=True,
            decode=True,
            buildargs=arguments,
            labels={_LABEL_INSTALLATION: _installation()},
            network_mode=network,
        )
        for chunk in stream:
            if "error" in chunk:
                raise _build_failed(source, [*lines, str(chunk["error"])])
            line = _COLOUR.sub("", str(chunk.get("stream", ""))).strip()
            if line:
                lines.append(line)
            if line.startswith("Step "):
                report(f"building {source.name}: {line[:100]}")
    except APIError as exc:
        raise _build_failed(source, [*lines, explain(exc)]) from exc
    _remove_older(client, source, image)


def _remove_older(client: docker.DockerClient, source: ImageSource, current: str) -> None:
    """Remove what this installation built before, unless a container still runs on it."""
    mine = {"label": f"{_LABEL_INSTALLATION}={_installation()}"}
    for image in client.images.list(source.name, filters=mine):
        if current in image.tags:
            continue
        for tag in image.tags:
            with contextlib.suppress(APIError):
                client.images.remove(tag)


def _installation() -> str:
    """Return what tells this installation from others on the machine."""
    return hashlib.sha256(str(_HOME).encode()).hexdigest()[:_TAG_DIGITS]


def _has(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(image)
    except ImageNotFound:
        return False
    return True


def _build_failed(source: ImageSource, lines: list[str]) -> SimuError:
    return SimuError(
        f"cannot build {source.name}:\n" + "\n".join(lines[-12:]),
        hint="behind a proxy, set PIP_INDEX_URL, SSL_CERT_FILE and HTTP(S)_PROXY for this command",
    )


def _context(source: ImageSource) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, file in source.files():
            tar.add(file, arcname=name, filter=_anonymous)
        bundle = _ca_bundle() if source.needs_packages else None
        if bundle is not None:
            tar.add(bundle.resolve(), arcname="ca-bundle.pem", filter=_anonymous)
    buffer.seek(0)
    return buffer


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Drop owner and times, so that the engine's build cache sees contents only."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


def _ca_bundle() -> Path | None:
    """Return whom this machine trusts: as its settings say, else as its system does."""
    named = [Path(os.environ[name]) for name in _CA_SETTINGS if os.environ.get(name)]
    return next((path for path in [*named, _CA_OF_SYSTEM] if path.is_file()), None)


def _build_arguments(source: ImageSource) -> tuple[dict[str, str], str | None]:
    """Return the build arguments and, where a proxy is on the host's loopback, its network."""
    names = [*_PROXY_SETTINGS, *(name.lower() for name in _PROXY_SETTINGS)]
    if source.needs_packages:
        names += _INDEX_SETTINGS
    arguments = {name: os.environ[name] for name in names if os.environ.get(name)}
    on_loopback = any(
        host in value for value in arguments.values() for host in ("://127.", "://localhost")
    )
    return arguments, "host" if on_loopback else None
