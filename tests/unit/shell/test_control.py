"""MQTT messages become inputs or refusals; states become messages."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import (
    CarInput,
    ChargePointState,
    ChargePointStatus,
    ChargePointType,
    ConnectorState,
    ConnectorStatus,
    ErrorCode,
)
from cp_image.core.errors import NotNowError, UnknownConnectorError
from cp_image.core.events import (
    CarChanged,
    ConfigurationWanted,
    Event,
    FaultChanged,
    SecurityEventWanted,
    TagPresented,
)
from cp_image.shell.control import Control, LinkCallbacks
from cp_image.shell.frame_trace import FrameTrace
from tests.support.hand_clock import HandClock
from tests.unit.shell.peers import FakeLink

BASE = "cp_simu/cps/CP-1"
RESULT = f"{BASE}/result"
EVENT = f"{BASE}/event"

IDENTITY = ChargePointStatus(
    pid=7,
    status=ChargePointState.DISCONNECTED,
    vendor="V",
    model="M",
    serial="S",
    nb_phases=3,
    max_setpoint=32.0,
    central_system="ws://csms/ocpp",
    type=ChargePointType.AC,
    voltage=230.0,
    nb_connectors=2,
    container="cp-simu.CP-1",
)
CONNECTOR = ConnectorStatus(
    status=ConnectorState.AVAILABLE,
    id_tag="",
    max_setpoint=32.0,
    ocpp_setpoint=32.0,
    setpoint=0.0,
    car_consumption_l1=0.0,
    car_consumption_l2=0.0,
    car_consumption_l3=0.0,
    car_cable_capacity=0.0,
    car_ready=False,
    consumption_l1=0.0,
    consumption_l2=0.0,
    consumption_l3=0.0,
)


class Sink:
    """Takes inputs like a station, or refuses them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.refusal: Exception | None = None
        self.stopped = 0
        self.keys = {"Zebra": "1", "Alpha": "2", "Empty": ""}

    def take(self, event: Event) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.events.append(event)

    def ocpp_config(self) -> dict[str, str]:
        return self.keys

    def stop(self) -> None:
        self.stopped += 1


class Bench:
    """A control with fakes around it."""

    def __init__(self) -> None:
        self.sink = Sink()
        self.link: FakeLink
        self.trace = FrameTrace(HandClock())
        self.control = Control(
            charge_point_id="CP-1",
            identity=IDENTITY,
            make_link=self._link,
            station=self.sink,
            clock=HandClock(),
            trace=self.trace,
        )

    def _link(self, callbacks: LinkCallbacks) -> FakeLink:
        self.link = FakeLink(callbacks)
        return self.link

    def receive(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        text = payload if isinstance(payload, (bytes, str)) else json.dumps(payload)
        self.link.receive(f"{BASE}/{topic}", text, retain=retain)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_subscribes_to_its_own_inputs_only(bench: Bench) -> None:
    bench.control.start()
    assert sorted(bench.link.filters) == [
        f"{BASE}/cmd",
        f"{BASE}/connectors/+/car",
        f"{BASE}/connectors/+/faulted",
        f"{BASE}/connectors/+/id_tag",
    ]


def test_the_will_is_the_status_with_dead(bench: Bench) -> None:
    will = bench.link.callbacks.will
    assert (will.topic, will.retain, will.qos) == (f"{BASE}/status", True, 1)
    assert json.loads(will.payload) == {
        "pid": 7,
        "status": "Dead",
        "vendor": "V",
        "model": "M",
        "serial": "S",
        "nb_phases": 3,
        "max_setpoint": 32.0,
        "central_system": "ws://csms/ocpp",
        "type": "AC",
        "voltage": 230.0,
        "nb_connectors": 2,
        "container": "cp-simu.CP-1",
        "clock_rate": 1.0,
        "reason": "",
    }


@pytest.mark.parametrize(
    ("topic", "payload", "event"),
    [
        (
            "connectors/2/car",
            {"cable": 32, "ready": True, "consumption_l1": 16.5},
            CarChanged(connector_id=2, car=CarInput(cable=32.0, ready=True, consumption_l1=16.5)),
        ),
        ("connectors/1/car", {}, CarChanged(connector_id=1, car=CarInput())),
        (
            "connectors/1/car",
            {"cable": 0, "unknown": [1, {}]},
            CarChanged(connector_id=1, car=CarInput(cable=0.0)),
        ),
        ("connectors/1/id_tag", {"id": "TAG1"}, TagPresented(connector_id=1, id_tag="TAG1")),
        (
            "connectors/0/faulted",
            {"faulted": True},
            FaultChanged(connector_id=0, faulted=True),
        ),
        (
            "connectors/1/faulted",
            {"faulted": False, "error_code": "GroundFailure"},
            FaultChanged(connector_id=1, faulted=False, error_code=ErrorCode.GROUND_FAILURE),
        ),
        (
            "connectors/1/faulted",
            {"faulted": True, "emergency": True},
            FaultChanged(connector_id=1, faulted=True, emergency=True),
        ),
        (
            "connectors/1/car",
            {"battery_wh": 50000, "soc_pct": 20},
            CarChanged(connector_id=1, car=CarInput(battery_wh=50_000.0, soc_pct=20.0)),
        ),
    ],
)
def test_inputs(bench: Bench, topic: str, payload: Any, event: Event) -> None:
    bench.receive(topic, payload)
    assert bench.sink.events == [event]
    assert bench.link.messages == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("connectors/1/car", {"cable": 1}),
        ("connectors/1/id_tag", {"id": "T"}),
        ("connectors/1/faulted", {"faulted": False}),
    ],
)
def test_an_accepted_input_with_a_request_id_is_answered(
    bench: Bench, topic: str, payload: dict[str, Any]
) -> None:
    bench.receive(topic, payload | {"request_id": "r1"})
    assert bench.link.on(RESULT) == [{"request_id": "r1", "ok": True}]
    assert not bench.link.messages[0].retain


@pytest.mark.parametrize(
    ("topic", "payload", "code", "words"),
    [
        ("connectors/1/car", {"cable": "32"}, "malformed", "$.cable"),
        ("connectors/1/car", {"cable": True}, "malformed", "$.cable"),
        ("connectors/1/car", {"cable": -1}, "malformed", ">= 0"),
        ("connectors/1/car", {"ready": 1}, "malformed", "$.ready"),
        ("connectors/1/car", {"consumption_l1": None}, "malformed", "consumption_l1"),
        ("connectors/1/id_tag", {}, "malformed", "`id`"),
        ("connectors/1/id_tag", {"id": 5}, "malformed", "$.id"),
        ("connectors/1/id_tag", {"id": ""}, "malformed", "$.id"),
        ("connectors/1/id_tag", {"id": "T" * 21}, "malformed", "$.id"),
        ("connectors/1/faulted", {"faulted": "yes"}, "malformed", "$.faulted"),
        (
            "connectors/1/faulted",
            {"faulted": True, "error_code": "NoError"},
            "malformed",
            "no fault",
        ),
        ("connectors/1/faulted", {"faulted": True, "error_code": "X"}, "malformed", "error_code"),
        ("connectors/1/faulted", {"faulted": False, "emergency": True}, "malformed", "emergency"),
        ("connectors/1/car", {"battery_wh": 5e4, "soc_pct": 101}, "malformed", "$.soc_pct"),
        ("connectors/1/car", {"battery_wh": 5e4, "consumption_l1": 1}, "malformed", "not both"),
        ("cmd", {"type": "explode"}, "malformed", "explode"),
        ("cmd", {}, "malformed", "`type`"),
        ("cmd", {"type": "configure", "key": "K"}, "malformed", "`value`"),
        ("cmd", {"type": "security_event"}, "malformed", "`name` of security_event"),
        ("cmd", {"type": "configure", "value": "V"}, "malformed", "`key`"),
        ("cmd", {"type": "configure", "key": "K" * 51, "value": "V"}, "malformed", "$.key"),
        ("cmd", {"type": "configure", "key": "K", "value": "V" * 501}, "malformed", "$.value"),
        ("cmd", {"type": "configure", "key": "K", "value": 5}, "malformed", "$.value"),
        ("connectors/one/car", {}, "unknown_topic", "connectors/one/car"),
        ("connectors/" + "9" * 5000 + "/car", {}, "unknown_topic", "no input"),
    ],
)
def test_a_refused_input(
    bench: Bench, topic: str, payload: dict[str, Any], code: str, words: str
) -> None:
    bench.receive(topic, payload | {"request_id": "r1"})
    (result,) = bench.link.on(RESULT)
    assert (result["request_id"], result["ok"], result["code"]) == ("r1", False, code)
    assert words in result["text"]
    assert bench.link.on(EVENT) == [
        {
            "event": "input_refused",
            "at": 1000.0,
            "topic": f"{BASE}/{topic}",
            "code": code,
            "text": result["text"],
        }
    ]
    assert bench.sink.events == []
    assert bench.sink.stopped == 0


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (UnknownConnectorError("CP-1", 9, 2), "unknown_connector"),
        (NotNowError("connector 1 is busy"), "not_now"),
    ],
)
def test_what_the_station_refuses(bench: Bench, refusal: Exception, code: str) -> None:
    bench.sink.refusal = refusal
    bench.receive("connectors/9/car", {"cable": 1, "request_id": "r1"})
    assert bench.link.on(RESULT) == [
        {"request_id": "r1", "ok": False, "code": code, "text": str(refusal)}
    ]
    assert bench.link.on(EVENT)[0]["code"] == code


GARBAGE = [
    b"",
    b"hello",
    b"[]",
    b"null",
    b"7",
    b"{",
    b'{"cable":NaN}',
    b'{"cable":1e999}',
    b"\xff\xfe",
    b'{"cable":1,"\xff"}',
    b'{"cable":"\\ud800"}',
    b'{"x":' * 100_000,
    b'{"request_id":7}',
    b'{"cable":1,"request_id":"' + b"r" * 1000 + b'"}',
]


@pytest.mark.parametrize("payload", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused_without_an_answer(bench: Bench, payload: bytes) -> None:
    bench.receive("connectors/1/car", payload)
    assert bench.sink.events == []
    assert [event["code"] for event in bench.link.on(EVENT)] == ["malformed"]
    assert bench.link.on(RESULT) == []


@given(st.binary(), st.sampled_from(["cmd", "connectors/1/car", "connectors/1/id_tag", "x/y"]))
def test_no_payload_raises(payload: bytes, topic: str) -> None:
    bench = Bench()
    bench.receive(topic, payload)
    assert bench.sink.events or bench.link.on(EVENT)


def test_a_retained_input_is_old_and_not_obeyed(bench: Bench) -> None:
    bench.receive("cmd", {"type": "close", "request_id": "r1"}, retain=True)
    bench.receive("connectors/1/id_tag", {"id": "T"}, retain=True)
    assert bench.sink.stopped == 0
    assert bench.sink.events == []
    assert [event["code"] for event in bench.link.on(EVENT)] == ["not_now", "not_now"]


def test_an_error_of_the_station_is_not_swallowed(bench: Bench) -> None:
    bench.sink.refusal = RuntimeError("defect")
    with pytest.raises(RuntimeError, match="defect"):
        bench.receive("connectors/1/car", {})


def test_configure(bench: Bench) -> None:
    bench.receive("cmd", {"type": "configure", "key": "K", "value": "", "request_id": "r1"})
    assert bench.sink.events == [ConfigurationWanted(key="K", value="")]
    assert bench.link.on(RESULT) == [{"request_id": "r1", "ok": True}]


def test_security_event(bench: Bench) -> None:
    wanted = {"type": "security_event", "name": "MemoryExhaustion", "request_id": "r1"}
    bench.receive("cmd", wanted)
    bench.receive("cmd", wanted | {"tech_info": "full"})
    assert bench.sink.events == [
        SecurityEventWanted(name="MemoryExhaustion"),
        SecurityEventWanted(name="MemoryExhaustion", tech_info="full"),
    ]


def test_a_key_is_not_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="cp_image"):
        bench.receive("cmd", {"type": "configure", "key": "AuthorizationKey", "value": "geheim"})
    assert "/cmd" in caplog.text
    assert "geheim" not in caplog.text


def test_close(bench: Bench) -> None:
    bench.receive("cmd", {"type": "close", "request_id": "r1"})
    assert bench.sink.stopped == 1
    assert bench.link.on(RESULT) == [{"request_id": "r1", "ok": True}]


def test_ocpp_config_is_published_whenever_it_is_asked_for(bench: Bench) -> None:
    bench.control.start()
    bench.receive("cmd", {"type": "ocpp_config"})
    messages = [m for m in bench.link.messages if m.topic == f"{BASE}/ocpp_config"]
    assert [m.payload for m in messages] == [b'{"Alpha":"2","Zebra":"1"}'] * 2
    assert all(m.retain for m in messages)


def test_the_same_status_is_not_said_twice(bench: Bench) -> None:
    bench.control.publish_station(ChargePointState.DISCONNECTED, "no route")
    bench.control.publish_station(ChargePointState.DISCONNECTED, "no route")
    bench.control.publish_station(ChargePointState.PENDING, "")
    bench.control.publish_station(ChargePointState.DISCONNECTED, "no route")
    said = [(s["status"], s["reason"]) for s in bench.link.on(f"{BASE}/status")]
    assert said == [("Disconnected", "no route"), ("Pending", ""), ("Disconnected", "no route")]


def test_connectors_do_not_shadow_each_other(bench: Bench) -> None:
    for connector_id in (1, 2, 1, 2):
        bench.control.publish_connector(connector_id, CONNECTOR)
    charging = msgspec.structs.replace(CONNECTOR, status=ConnectorState.CHARGING)
    bench.control.publish_connector(2, charging)
    assert [(m.topic, m.retain) for m in bench.link.messages] == [
        (f"{BASE}/connectors/1/status", True),
        (f"{BASE}/connectors/2/status", True),
        (f"{BASE}/connectors/2/status", True),
    ]


def test_nothing_is_said_after_dead(bench: Bench) -> None:
    bench.control.publish_station(ChargePointState.DEAD, "closed")
    bench.control.publish_station(ChargePointState.DISCONNECTED, "closed")
    assert [s["status"] for s in bench.link.on(f"{BASE}/status")] == ["Dead"]
