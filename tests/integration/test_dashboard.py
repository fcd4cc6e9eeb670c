"""The dashboard on a real broker, a real launcher and real containers, by its keys alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

from textual.pilot import Pilot

from supervisor_cli.container_logs import ContainerLogs
from supervisor_cli.dashboard.app import Watch
from tests.integration.fleet import Story

WITHIN_S = 60.0
LOOK_AGAIN_S = 0.2


class Person:
    """Somebody who has never seen the dashboard: reads the screen, presses what it names."""

    def __init__(self, app: Watch, pilot: Pilot[None], pictures: asyncio.Event) -> None:
        self.app = app
        self._pilot = pilot
        self._pictures = pictures

    @property
    def screen(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def sees(self, words: str) -> None:
        """Wait until the screen shows some words."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while words not in self.screen:
                    self._pictures.clear()
                    with suppress(TimeoutError):  # a dialog comes without a picture of the fleet
                        async with asyncio.timeout(LOOK_AGAIN_S):
                            await self._pictures.wait()
        except TimeoutError as exc:
            raise AssertionError(f"never seen: {words}\n{self.screen}") from exc

    async def does_what_is_next(self, hint: str) -> None:
        """Wait until the screen says what is next, and press the key it names."""
        await self.sees(hint)
        named = re.search(r"next: (\S+) ", self.screen)
        assert named is not None, self.screen
        await self.press(named[1])

    async def confirms(self) -> None:
        """Press the key by which a dialog says that it does what it asks."""
        await self.sees("enter do it")
        await self.press("enter")


@asynccontextmanager
async def person(tale: Story) -> AsyncIterator[Person]:
    pictures = asyncio.Event()

    async def rest() -> None:
        pictures.set()
        await asyncio.sleep(0.05)

    with closing(ContainerLogs(tale.stage.name)) as logs:
        app = Watch(tale.simu, central_system=tale.url, logs=logs, rest=rest)
        async with app.run_test(size=(100, 40)) as pilot:
            yield Person(app, pilot, pictures)


async def test_a_person_who_never_saw_it_charges_a_car(tale: Story) -> None:
    async with person(tale) as somebody:
        await somebody.does_what_is_next("next: n makes a charge point")
        await somebody.confirms()
        await somebody.sees("CP-0001: started, Accepted")
        await somebody.does_what_is_next("plugs a car in")
        await somebody.confirms()
        await somebody.does_what_is_next("holds a card to the reader")
        await somebody.confirms()
        await somebody.sees("connector 1  Charging  TAG1  transaction 1")
        await somebody.sees("16.0 / 16.0 / 16.0 A   11.04 kW")

        await somebody.press("o")
        await somebody.sees("→ StartTransaction connectorId=1 idTag=TAG1")
        await somebody.press("l")
        await somebody.sees("charge point CP-0001 starts")
        await somebody.press("l", "o")

        await somebody.does_what_is_next("with the same card stops")
        await somebody.confirms()
        await somebody.does_what_is_next("unplugs the car")
        await somebody.sees("connector 1  Available")
        await tale.csms_sees(lambda csms: len(csms.transactions) == 1)


async def test_power_cuts_configuration_and_removal_by_keys(tale: Story) -> None:
    await tale.add("CP-1", nb_phases=3)
    await tale.charge("CP-1", "TAG1")
    async with person(tale) as somebody:
        await somebody.press("K")
        await somebody.sees("CP-1: killed")
        await somebody.sees("was Charging")
        await somebody.does_what_is_next("gives it its power back")
        await somebody.sees("CP-1: restarted, Accepted")
        await somebody.press("c")
        await somebody.sees("AuthorizationCacheEnabled")
        await somebody.press("escape", "z")
        await somebody.sees("CP-1: frozen")
        await somebody.does_what_is_next("thaws it")
        await somebody.sees("CP-1: thawed")
        await somebody.press("D")
        await somebody.sees("Remove CP-1 with all that is stored?")
        await somebody.press("y")
        await somebody.sees("there are no charge points")
    assert tale.stage.volumes() == []
