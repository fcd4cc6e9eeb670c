"""What is typed in one burst, without looking, arrives where a person sees it go."""

import asyncio
from collections.abc import Iterable

from textual import events
from textual.app import ComposeResult
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widgets import Input

from cp_image.api import topics
from supervisor_cli.dashboard import typed_ahead
from supervisor_cli.dashboard.filter_line import FilterLine
from tests.unit.supervisor_cli.dashboard.stage import PATIENCE_S, Stage, dashboard, fleet
from tests.unit.supervisor_cli.world import World


def burst(stage: Stage, keys: Iterable[str]) -> None:
    """Send keys as a terminal does that has them all at once."""
    driver = stage.app._driver
    assert driver is not None
    for key in keys:
        is_named = len(key) > 1
        name = key if is_named else _character_to_key(key)
        driver.send_message(events.Key(name, None if is_named else key))


async def test_fields_of_a_form_get_each_its_own() -> None:
    async with dashboard(fleet()) as stage:
        burst(stage, ["p", *"20", "tab", "space", "down", *"10", "enter"])
        await stage.shows("plugged, cable 20 A, not ready")
        ((_topic, sent),) = stage.world.inputs(topics.CONNECTOR_CAR)
        assert (sent["cable"], sent["ready"], sent["consumption_l1"]) == (20.0, False, 10.0)


async def test_a_whole_session_without_a_look() -> None:
    async with dashboard(fleet()) as stage:
        burst(stage, ["down", "p", "enter", "t", *"TAG7", "enter", "u"])
        await stage.until(lambda: stage.world.inputs(topics.CONNECTOR_ID_TAG), "tag presented")
        await stage.shows("unplugged")
        assert stage.world.inputs(topics.CONNECTOR_ID_TAG) == [
            ("cp_simu/cps/CP-1/connectors/2/id_tag", {"id": "TAG7"})
        ]
        cables = [sent["cable"] for _topic, sent in stage.world.inputs(topics.CONNECTOR_CAR)]
        assert cables == [32.0, 0.0]


async def test_the_yes_to_a_question_that_a_key_asks() -> None:
    async with dashboard(fleet()) as stage:
        burst(stage, ["D", "y", "D", "n"])
        await stage.shows("✗ nothing was removed")
        await stage.until(lambda: "CP-1" not in stage.ids, "gone")
        assert [each["type"] for each in stage.world.commands()] == ["remove"]


async def test_a_form_after_a_form_and_the_table_after_it() -> None:
    async with dashboard(World()) as stage:
        burst(stage, ["n", "tab", "backspace", "x", "enter", "escape", "n", "enter"])
        await stage.shows("CP-0001: started, Accepted")
        assert len(stage.world.commands()) == 1


async def test_a_filter_and_back_to_the_table() -> None:
    async with dashboard(fleet()) as stage:
        burst(stage, ["/", *"FAST", "enter", "u"])
        await stage.shows("unplugged")
        assert stage.app.query_one(FilterLine).entry.value == "FAST"
        ((topic, _sent),) = stage.world.inputs(topics.CONNECTOR_CAR)
        assert "/FAST-1/" in topic


async def test_what_is_pasted_keeps_its_place() -> None:
    async with dashboard(fleet()) as stage:
        driver = stage.app._driver
        assert driver is not None
        burst(stage, ["*"])
        driver.send_message(events.Paste("CP-1*"))
        burst(stage, ["enter"])
        await stage.shows("● 3 marked")


class SlowForm(Screen[None]):
    """A form that takes no key before it is let stand."""

    def __init__(self, stands: asyncio.Event) -> None:
        super().__init__()
        self._stands = stands

    def compose(self) -> ComposeResult:
        """Lay the form out."""
        yield Input(id="one")
        yield Input(id="other")

    async def on_mount(self) -> None:
        """Take as long as a starved machine does."""
        await self._stands.wait()


class Desk(typed_ahead.TypedAhead):
    """Opens a slow form by a key."""

    BINDINGS = [("n", "form", "form")]  # noqa: RUF012 - Textual's own way

    def __init__(self, stands: asyncio.Event) -> None:
        super().__init__()
        self._stands = stands

    def action_form(self) -> None:
        """Open it, as forms are opened: by a worker."""

        async def ask() -> None:
            await self.push_screen(SlowForm(self._stands))

        self.run_worker(ask())


async def test_a_form_that_is_slow_to_stand_gets_every_letter_where_it_goes() -> None:
    stands = asyncio.Event()
    app = Desk(stands)
    async with app.run_test() as pilot:
        driver = app._driver
        assert driver is not None
        for key in ("n", "A", "tab", "B"):
            driver.send_message(events.Key(key, key if len(key) == 1 else None))
        # Longer than three keys are held for a widget that hangs.
        asyncio.get_running_loop().call_later(3.5 * typed_ahead._HELD_S, stands.set)
        async with asyncio.timeout(PATIENCE_S):
            while not (stands.is_set() and app.keys_are_done):
                await pilot.pause()
        assert [each.value for each in app.screen.query(Input)] == ["A", "B"]
