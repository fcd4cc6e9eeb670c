"""Carries out what the station wants done with its credentials and private keys."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from cp_image.core.effects import ForgetKey, GenerateKeyAndCsr, SetCredentials
from cp_image.core.events import Event, KeyGenerated
from cp_image.shell.csms_access import CsmsAccess
from cp_image.shell.secret_files import SecretFiles

LOG: Final = logging.getLogger(__name__)


class KeyTasks:
    """Makes and removes keys, and passes credentials on to the link.

    Args:
        access: with what the link connects.
        files: where keys are kept.
        on_event: called in the event loop when a key is made.
    """

    def __init__(
        self, *, access: CsmsAccess, files: SecretFiles, on_event: Callable[[Event], None]
    ) -> None:
        self._access = access
        self._files = files
        self._on_event = on_event
        self._group: asyncio.TaskGroup | None = None

    def open(self, group: asyncio.TaskGroup) -> None:
        """Let the tasks be born in a group."""
        self._group = group

    def carry_out(self, effect: SetCredentials | GenerateKeyAndCsr | ForgetKey) -> None:
        """Do what the station wants."""
        match effect:
            case SetCredentials():
                self._access.set(effect)
            case GenerateKeyAndCsr():
                if self._group is None:
                    raise AssertionError("key tasks are not open")
                self._group.create_task(self._generate(effect), name=f"key {effect.number}")
            case ForgetKey(number=number):
                self._forget(number)

    async def _generate(self, effect: GenerateKeyAndCsr) -> None:
        from cp_image.shell.key_maker import make_key  # noqa: PLC0415 - loaded with the first key

        # An RSA key takes a while: the station must live on meanwhile.
        made = await asyncio.to_thread(
            make_key, effect.kind, effect.common_name, effect.organization
        )
        try:
            self._files.keep_key(effect.number, made.private_key)
        except OSError as exc:
            reason = f"{self._files.directory} cannot be written: {exc.strerror}"
            self._on_event(KeyGenerated(number=effect.number, reason=reason))
            return
        self._on_event(KeyGenerated(number=effect.number, csr=made.csr, public_key=made.public_key))

    def _forget(self, number: int) -> None:
        try:
            self._files.forget_key(number)
        except OSError as exc:
            LOG.warning("key %d cannot be removed: %s", number, exc.strerror)
