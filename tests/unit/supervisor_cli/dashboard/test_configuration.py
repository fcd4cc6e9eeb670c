"""The OCPP configuration in the dashboard: read, set, refused, and nothing told of a secret."""

from cp_image.api import topics
from cp_image.api.payloads import InputErrorCode, Result
from tests.unit.supervisor_cli.dashboard.stage import Stage, dashboard, fleet
from tests.unit.supervisor_cli.world import World


def configured() -> World:
    world = fleet()
    world.configuration = {"HeartbeatInterval": "300", "LocalPreAuthorize": "false"}
    return world


def set_keys(stage: Stage) -> list[tuple[str, str]]:
    sent = [payload for _topic, payload in stage.world.inputs(topics.CP_CMD)]
    return [(each["key"], each["value"]) for each in sent if each["type"] == "configure"]


async def fill_in(stage: Stage, key: str, value: str) -> None:
    await stage.press("s")
    await stage.shows("Set a key of CP-1")
    await stage.type(key)
    await stage.press("down")
    await stage.type(value)


async def test_a_key_is_set_and_the_page_shows_it() -> None:
    async with dashboard(configured()) as stage:
        await stage.press("c")
        await stage.shows("CP-1: OCPP configuration")
        await stage.shows("300")
        await fill_in(stage, "heartbeatInterval", "60")
        stage.world.configuration["HeartbeatInterval"] = "60"
        await stage.press("enter")
        await stage.shows("✓ CP-1: heartbeatInterval=60")
        assert set_keys(stage) == [("heartbeatInterval", "60")]
        assert any(line.split()[1:3] == ["HeartbeatInterval", "60"] for line in stage.lines)
        await stage.press("escape", "m")
        await stage.shows("set heartbeatInterval")


async def test_what_is_refused_is_said_there() -> None:
    async with dashboard(configured()) as stage:
        await stage.press("c")
        await stage.shows("CP-1: OCPP configuration")
        await fill_in(stage, "NumberOfConnectors", "9")
        stage.world.refuse_configure = Result(
            request_id="", ok=False, code=InputErrorCode.NOT_ALLOWED, text="it is read-only"
        )
        await stage.press("enter")
        await stage.shows("✗ CP-1: it is read-only")
        await stage.shows("CP-1: OCPP configuration")


async def test_what_cannot_be_read_is_not_told() -> None:
    async with dashboard(configured()) as stage:
        await stage.press("c")
        await stage.shows("CP-1: OCPP configuration")
        await fill_in(stage, "AuthorizationKey", "geheim")
        await stage.press("enter")
        await stage.shows("✓ CP-1: AuthorizationKey set")
        assert "geheim" not in stage.text
        assert set_keys(stage) == [("AuthorizationKey", "geheim")]


async def test_no_key_and_no_change() -> None:
    async with dashboard(configured()) as stage:
        await stage.press("c")
        await stage.shows("CP-1: OCPP configuration")
        await stage.press("s", "enter")
        await stage.shows("a key has 1 to 50 characters")
        await stage.press("escape")
        await stage.shows("CP-1: OCPP configuration")
        assert set_keys(stage) == []


async def test_a_key_is_set_at_all_that_are_marked() -> None:
    async with dashboard(configured()) as stage:
        await stage.press("space", "space", "space")
        await stage.shows("● 3 marked")
        await stage.press("C")
        await stage.shows("Set a key of 2 charge points")
        await stage.type("HeartbeatInterval")
        await stage.press("down")
        await stage.type("60")
        await stage.press("enter")
        await stage.shows("set a key: all 2 done")
        assert set_keys(stage) == [("HeartbeatInterval", "60")] * 2
        await stage.press("m")
        await stage.shows("✓ CP-1: HeartbeatInterval=60")
        await stage.shows("✓ CP-2: HeartbeatInterval=60")


async def test_a_secret_set_at_many_is_told_to_none_and_the_dead_one_is_named() -> None:
    async with dashboard(configured()) as stage:
        await stage.press("a", "C")
        await stage.type("AuthorizationKey")
        await stage.press("down")
        await stage.type("geheim")
        await stage.press("enter")
        await stage.shows("set a key: 1 of 5 failed; m shows all: CP-10 is Dead")
        await stage.press("m")
        await stage.shows("✓ CP-1: AuthorizationKey set")
        assert "geheim" not in stage.text
        assert len(set_keys(stage)) == 4


async def test_what_is_set_before_the_keys_were_heard_is_told_with_its_value() -> None:
    world = configured()
    world.charge_points_answer = False
    async with dashboard(world) as stage:
        await stage.press("c")
        await stage.shows("CP-1 is asked…")
        await fill_in(stage, "HeartbeatInterval", "60")
        world.charge_points_answer = True
        await stage.press("enter")
        await stage.shows("✓ CP-1: HeartbeatInterval=60")
        await fill_in(stage, "AuthorizationKey", "geheim")
        await stage.press("enter")
        await stage.shows("✓ CP-1: AuthorizationKey set")
        assert "geheim" not in stage.text


async def test_the_page_opens_before_the_charge_point_has_answered() -> None:
    world = configured()
    world.charge_points_answer = False
    async with dashboard(world) as stage:
        await stage.press("c")
        await stage.shows("CP-1 is asked…")
        await stage.press("s")
        await stage.shows("Set a key of CP-1")
        await stage.press("escape")
        await stage.shows("CP-1 is asked…")
        await stage.press("escape")
        assert "is asked" not in stage.text
