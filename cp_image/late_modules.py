"""Modules that a charge point may never need are loaded when something of them is first used.

The libraries import them for what an ordinary charge point never does: TLS where the CSMS is
ws://, HTTP and its e-mail headers, TOML and YAML, a package's metadata. That made a fifth of the
memory of a charge point, and of the time it takes to start.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any, Final

_NAMES: Final = (
    "ssl",
    "subprocess",
    "asyncio.sslproto",
    "ast",
    "importlib.metadata",
    "msgspec.inspect",
    "msgspec.toml",
    "msgspec.yaml",
    "textwrap",
    "urllib.request",
)

_STAND_INS: Final[Mapping[str, Mapping[str, type[Any]]]] = {
    "ssl": {
        "SSLSocket": object,
        "SSLError": OSError,
        "SSLCertVerificationError": OSError,
        "SSLSyscallError": OSError,
        "SSLWantReadError": OSError,
        "SSLWantWriteError": OSError,
    },
}
"""Types that every socket and every error is compared with, by the base of each. As long as a
module is not loaded there is nothing of its types, so that comparing need not load it."""

_CONSTANTS: Final[Mapping[str, Mapping[str, int]]] = {
    "subprocess": {"PIPE": -1, "STDOUT": -2, "DEVNULL": -3},
}
"""What asyncio takes of a module for default arguments when it is imported."""

_LOCK: Final = RLock()
"""Threads may need the same module first at the same time."""


def put_off() -> None:
    """Put off the modules that are not loaded yet; called before anything imports them."""
    sys.meta_path.insert(0, _LateFinder())
    # Python's own hashes do: those of OpenSSL, which `hashlib` would prefer, load libcrypto.
    sys.modules.setdefault("_hashlib", None)  # type: ignore[arg-type] # how an import is barred


class _LateModule(ModuleType):
    """Loads itself when a name is looked up that it does not have; it is an ordinary one then."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system looks a module over; that is no use of it
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        with _LOCK:  # whoever comes while another thread loads waits here
            spec = self.__spec__
            if spec is not None and isinstance(spec.loader, _LateLoader):
                spec.loader.load(self, spec)
        return ModuleType.__getattribute__(self, name)


class _LateLoader:
    """Lets a module be imported without running it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """See `importlib.abc.Loader`."""
        return _LateModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`; what is run waits."""
        for name, base in _STAND_INS.get(module.__name__, {}).items():
            setattr(module, name, type(name, (base,), {"__module__": module.__name__}))
        for name, value in _CONSTANTS.get(module.__name__, {}).items():
            setattr(module, name, value)

    def load(self, module: ModuleType, spec: ModuleSpec) -> None:
        """Run the module."""
        # First: what it looks up of itself while it runs must not come back here.
        spec.loader = module.__loader__ = self._loader
        try:
            self._loader.exec_module(module)
        except BaseException:
            spec.loader = module.__loader__ = self  # type: ignore[assignment] # as at first
            raise
        module.__class__ = ModuleType


class _LateFinder:
    """Finds the modules that are put off; all others are left to those who come next."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        spec = PathFinder.find_spec(name, path) if name in _NAMES else None
        if spec is not None:
            spec.loader = _LateLoader(spec.loader)  # type: ignore[assignment] # all that is asked
        return spec
