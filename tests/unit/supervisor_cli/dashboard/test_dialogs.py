"""What forms make of their values, as pure functions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from launcher.api import Networking, OnCrash
from supervisor_cli.dashboard.dialogs import read_plug
from supervisor_cli.dashboard.new_ids import names_of
from supervisor_cli.dashboard.new_ones import Around, read_add
from supervisor_cli.dashboard.power_history import PowerHistory, sparkline
from supervisor_cli.dashboard.roster import Place
from supervisor_cli.errors import SimuError

PLUG = {
    "cable": "",
    "ready": "yes",
    "draw": "",
    "l1": "",
    "l2": "",
    "l3": "",
    "battery": "",
    "soc": "",
}
ADD = {
    "id": "CP-1",
    "count": "1",
    "first": "",
    "central_system": "ws://localhost:9000",
    "type": "AC",
    "nb_connectors": "1",
    "nb_phases": "",
    "voltage": "",
    "max_setpoint": "",
    "max_setpoint_per_connector": "",
    "vendor": "",
    "model": "",
    "serial": "",
    "profile": "0",
    "password": "",
    "root_ca": "",
    "password_file": "",
    "user": "",
    "client_cert": "",
    "client_key": "",
    "manufacturer_ca": "",
    "pki": "",
    "tls_verification": "full",
    "configuration": "",
    "clock_rate": "",
    "clock_start": "",
    "on_crash": "report",
    "networking": "bridge",
    "memory_mb": "",
    "cpus": "",
    "pids": "",
    "log_mb": "",
}
AROUND = Around(known=(), central_system="", environment="cp-simu")
PLACE = Place("CP-1", 1)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"cable": "-1"}, "cable: '-1' is not a number"),
        ({"cable": "inf"}, "cable: 'inf' is not a number"),
        ({"l1": "nan"}, "L1: 'nan' is not a number"),
        ({"soc": "20"}, "state of charge is of a battery"),
        ({"battery": "60000", "l1": "16"}, "a battery decides"),
        ({"battery": "60000", "draw": "16"}, "a battery decides"),
        ({"draw": "16", "l2": "16"}, "say it for each phase, or for L1, L2 and L3"),
        ({"battery": "5"}, "a battery holds 100 to"),
        ({"battery": "60000", "soc": "101"}, "charged to 100 % at most"),
    ],
)
def test_what_no_car_can_be(changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(SimuError, match=complaint):
        read_plug(PLUG | changes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": "a b"}, "id is"),
        ({"id": ""}, "id is"),
        ({"count": "0"}, "how many: 1 to 5000"),
        ({"count": "x"}, "how many: 'x' is not a whole number"),
        ({"id": "{x}", "count": "2"}, "is no pattern"),
        ({"id": "{n", "count": "2"}, "is no pattern"),
        ({"id": "{{}}", "count": "2"}, "is the same for all"),
        ({"id": "CP-{n!s:.1}", "count": "20"}, "is no pattern"),
        ({"id": "CP-{n:.0f}", "count": "20"}, "is no pattern"),
        ({"id": "CP-{n:c}", "first": "9999999"}, "is no pattern"),
        ({"id": "CP-1", "first": "7"}, "numbered from: 'CP-1' has no {n} to count"),
        ({"central_system": "http://x"}, "central_system"),
        ({"nb_connectors": "0"}, "nb_connectors"),
        ({"nb_phases": "4"}, "nb_phases"),
        ({"type": "DC", "nb_phases": "3"}, "a DC charge point has one"),
        ({"voltage": "0"}, "voltage"),
        ({"password": "secret"}, "for a security profile of 1 to 3"),
        ({"profile": "1"}, "security profile 1 needs a password"),
        ({"profile": "2", "password": "p"}, "needs a wss:// URL"),
        (
            {"profile": "3", "central_system": "wss://h"},
            "security profile 3 needs certificates: simuctl pki makes them",
        ),
        (
            {
                "profile": "2",
                "password": "p",
                "central_system": "wss://h",
                "root_ca": "/nowhere.pem",
            },
            "/nowhere.pem",
        ),
        ({"vendor": "x" * 21}, "vendor"),
        ({"first": "x"}, "numbered from: 'x' is not a whole number"),
        ({"configuration": "HeartbeatInterval"}, "'HeartbeatInterval' is not KEY=VALUE"),
        ({"configuration": "A='b"}, "OCPP keys: No closing quotation"),
        ({"clock_rate": "0"}, "clock_rate"),
        ({"clock_start": "yesterday"}, "clock_start"),
        ({"memory_mb": "1"}, "memory_mb"),
        ({"memory_mb": "1.5"}, "memory mb: '1.5' is not a whole number"),
        ({"cpus": "0"}, "cpus"),
        ({"pids": "1"}, "pids"),
        ({"log_mb": "0"}, "log_mb"),
        ({"user": "a:b"}, "authorization_user"),
        ({"client_cert": "c.pem"}, "for a security profile of 1 to 3"),
        (
            {"profile": "1", "password": "p", "password_file": "f"},
            "a password and a file that holds it exclude each other",
        ),
        (
            {"profile": "1", "password": "p", "client_key": "k.pem"},
            "a certificate and the key of it go together",
        ),
        ({"profile": "1", "password": "p", "pki": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_no_charge_point_can_be(changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(SimuError, match=complaint):
        read_add(ADD | changes, AROUND)


def test_a_charge_point_with_all_fields() -> None:
    changes = {
        "type": "DC",
        "nb_connectors": "2",
        "voltage": "800",
        "max_setpoint": "400000",
        "max_setpoint_per_connector": "350000",
        "vendor": "V",
        "model": "M",
        "serial": "S",
    }
    (wanted,) = read_add(ADD | changes, AROUND)
    made = wanted.specification
    assert (made.vendor, made.model, made.serial) == ("V", "M", "S")
    assert (made.voltage, made.nb_phases, made.nb_connectors) == (800.0, 1, 2)
    assert (made.max_setpoint, made.max_setpoint_per_connector) == (400_000.0, 350_000.0)


def test_what_is_folded_away_counts_too() -> None:
    changes = {
        "id": "CP-{n}",
        "count": "2",
        "first": "7",
        "configuration": "HeartbeatInterval=60 MeterValuesSampledData='Voltage,SoC' Empty=",
        "clock_rate": "60",
        "clock_start": "2026-01-31T12:00:00Z",
        "on_crash": "restart",
        "networking": "host",
        "memory_mb": "96",
        "cpus": "0.5",
        "pids": "32",
        "log_mb": "8",
    }
    wanted = read_add(ADD | changes, AROUND)
    assert [each.id for each in wanted] == ["CP-7", "CP-8"]
    made = wanted[1].specification
    assert made.configuration == {
        "HeartbeatInterval": "60",
        "MeterValuesSampledData": "Voltage,SoC",
        "Empty": "",
    }
    assert made.clock_rate == 60.0
    assert made.clock_start == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert (made.on_crash, made.networking) == (OnCrash.RESTART, Networking.HOST)
    assert (made.memory_mb, made.cpus, made.pids, made.log_mb) == (96, 0.5, 32, 8)


def test_the_secrets_of_each_are_in_files_of_its_own(tmp_path: Path) -> None:
    for name in ("CP-1", "CP-2"):
        (tmp_path / f"{name}.pw").write_text("a password of 20 b.")
    (tmp_path / "root.pem").write_text("root")
    changes = {
        "id": "CP-{n}",
        "count": "2",
        "central_system": "wss://h",
        "profile": "2",
        "password_file": str(tmp_path / "{id}.pw"),
        "root_ca": str(tmp_path / "root.pem"),
        "user": "somebody",
        "tls_verification": "no-host-name",
    }
    wanted = read_add(ADD | changes, AROUND)
    made = wanted[1].specification
    assert (made.authorization_user, made.tls_verification) == ("somebody", "no-host-name")
    assert set(wanted[1].paths) == {"authorization_key", "root_ca.pem"}


def test_no_root_is_needed_where_no_certificate_is_looked_at() -> None:
    changes = {
        "central_system": "wss://h",
        "profile": "2",
        "password": "a password of 20 b.",
        "tls_verification": "none",
    }
    (wanted,) = read_add(ADD | changes, AROUND)
    assert not wanted.paths


def test_a_password_goes_with_the_charge_point_and_is_not_shown() -> None:
    (wanted,) = read_add(ADD | {"profile": "1", "password": "a password of 20 b."}, AROUND)
    assert wanted.specification.secrets
    assert wanted.specification.security_profile == 1
    assert wanted.password == "a password of 20 b."
    assert "a password" not in repr(wanted)


def test_a_pattern_leaves_out_what_is_taken() -> None:
    assert names_of("CP-{n:04}", 2, {"CP-0001", "CP-0003"}) == ["CP-0002", "CP-0004"]
    assert names_of("CP-{n}", 2, {"CP-0", "CP-1", "CP-2"}, first=0) == ["CP-3", "CP-4"]


def test_power_is_remembered_by_its_changes() -> None:
    history = PowerHistory()
    history.record(PLACE, 90.0, 0.0)
    history.record(PLACE, 100.0, 1000.0)
    history.record(PLACE, 105.0, 1000.0)
    history.record(PLACE, 120.0, 4000.0)
    samples = history.samples(PLACE, 130.0, number=5, every_s=10.0)
    assert samples == [0.0, 1000.0, 1000.0, 4000.0, 4000.0]
    assert sparkline(samples) == "▁▂▂██"
    history.forget("CP-1")
    assert history.samples(PLACE, 130.0, number=2, every_s=10.0) == [0.0, 0.0]


def test_what_never_charged_is_a_flat_line() -> None:
    history = PowerHistory()
    history.record(PLACE, 100.0, 0.0)
    assert sparkline(history.samples(PLACE, 130.0, number=3, every_s=1.0)) == "▁▁▁"


def test_a_power_that_changes_often_is_remembered_for_long() -> None:
    history, place = PowerHistory(), Place("CP-1", 1)
    for tenth in range(3000):
        history.record(place, tenth / 10, 1000.0 + tenth)
    assert min(history.samples(place, 299.9, number=25, every_s=12.0)) >= 1000.0
    assert history.samples(place, 299.9, number=1, every_s=12.0) == [3999.0]


def test_what_drew_something_lately_is_known() -> None:
    history, place = PowerHistory(), Place("CP-1", 1)
    assert not history.is_within(place, 0.0, 300.0)
    history.record(place, 0.0, 1000.0)
    assert history.is_within(place, 1000.0, 300.0)
    history.record(place, 1000.0, 0.0)
    assert history.is_within(place, 1300.0, 300.0)
    assert not history.is_within(place, 1301.0, 300.0)
