"""What is typed in one burst, without looking, arrives where a person sees it go."""

from collections.abc import Iterable

from textual import events
from textual.keys import _character_to_key

from cp_image.api import topics
from supervisor_cli.dashboard.filter_line import FilterLine
from tests.unit.supervisor_cli.dashboard.stage import Stage, dashboard, fleet
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
