"""Keys one by one: what is typed in one burst arrives where a person sees it go."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

_TURNS: Final = 10
"""Of the event loop: what a key wakes asks its question within a few."""
_BUBBLES: Final = 2
"""Enter in a field is a message of its own, which goes the way that the key went before it."""
_HELD_S: Final = 1.0
"""No key waits longer for a widget that hangs."""
_STANDS_S: Final = 30.0
"""Nor for a screen to stand: on a starved machine that takes seconds, and its keys are for it."""


class TypedAhead(App[None]):
    """An app whose keys wait for each other.

    A key goes to what has the focus when it comes, but does what it does only after it has gone
    from there up to the app: by then the next one, typed in the same burst, is under way to where
    the focus was. So each is held until the one before it has done all it does, the opening of a
    dialog included.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._typed: asyncio.Queue[events.Key | events.Paste] = asyncio.Queue()
        self._unsettled = 0

    @property
    def keys_are_done(self) -> bool:
        """Whether all that was typed has done what it does."""
        return self._unsettled == 0

    async def on_event(self, event: events.Event) -> None:
        """Keep keys and what is pasted in order; the way out waits for nothing."""
        leaves = isinstance(event, events.Key) and event.key == "ctrl+c"
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded and not leaves:
            self._unsettled += 1
            self._typed.put_nowait(event)
        else:
            await super().on_event(event)

    def on_mount(self) -> None:
        """Begin to take keys."""
        self.run_worker(self._take_keys(), name="keys")

    async def _take_keys(self) -> None:
        while True:
            event = await self._typed.get()
            target, screen = self.focused or self.screen, self.screen
            await super().on_event(event)
            # What takes longer than that hangs, and keys must not hang with it.
            with suppress(TimeoutError):
                async with asyncio.timeout(_HELD_S):
                    await self._bubbled(target)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            # A screen that is new takes its messages once it stands and something of it has the
            # focus.
            with suppress(TimeoutError):
                async with asyncio.timeout(_HELD_S if self.screen is screen else _STANDS_S):
                    await _passed(self.screen)
            self._unsettled -= 1

    async def _bubbled(self, target: MessagePump) -> None:
        """Wait until a key has gone all its way up."""
        for _ in range(_BUBBLES):
            node: MessagePump | None = target
            while node is not None:
                await _passed(node)
                node = node._parent  # noqa: SLF001 - messages bubble by it


async def _passed(node: MessagePump) -> None:
    """Wait until a node has taken all that was sent to it so far."""
    passed = asyncio.Event()
    if node.call_later(passed.set):
        await passed.wait()
