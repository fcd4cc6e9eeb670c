from typing import Any

import pytest

from launcher.container import Mark, mark_labels
from launcher.docker_records import (
    by_hand,
    container_records,
    event,
    marks,
    post_mortem,
    volume_records,
)
from launcher.engine import (
    Change,
    ContainerChanged,
    ContainerDied,
    ContainerState,
    EngineEvent,
    MarkRecord,
    NetworksChanged,
    PostMortem,
)

LABELS = {
    "cp-simu.environment": "ci",
    "cp-simu.role": "charge-point",
    "cp-simu.charge-point-id": "CP-1",
    "cp-simu.specification": '{"id":"CP-1","type":"AC","central_system":"ws://h"}',
}


def listed(**fields: Any) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Names": ["/ci.CP-1"],
        "State": "running",
        "ImageID": "sha256:1",
        "Labels": LABELS,
        **fields,
    }


def test_a_container_is_read_from_a_listing() -> None:
    record = container_records([listed()])["CP-1"]
    assert (record.container_id, record.name, record.image_id) == ("abc", "ci.CP-1", "sha256:1")
    assert record.state is ContainerState.RUNNING
    assert record.specification is not None
    assert record.fingerprint == ""


def test_a_container_with_an_unreadable_label_is_still_ours() -> None:
    record = container_records([listed(Labels={**LABELS, "cp-simu.specification": "?"})])["CP-1"]
    assert record.specification is None


def test_copied_labels_do_not_make_a_charge_point() -> None:
    assert container_records([listed(Names=["/mine"])]) == {}
    assert volume_records({"Volumes": [{"Name": "mine", "Labels": LABELS}]}) == {}
    assert volume_records({"Volumes": [{"Name": "mine", "Labels": None}]}) == {}


def test_a_volume_is_read_from_a_listing() -> None:
    record = volume_records({"Volumes": [{"Name": "ci.CP-1", "Labels": LABELS}]})["CP-1"]
    assert record.specification is not None
    assert volume_records({"Volumes": None}) == {}


def happened(action: str, **attributes: str) -> dict[str, Any]:
    return {
        "Type": "container",
        "Action": action,
        "Actor": {"ID": "abc", "Attributes": attributes},
    }


def test_a_death_is_read_from_an_event() -> None:
    raw = happened("die", **LABELS, exitCode="137")
    assert event(raw, "ci", "image", {}) == ContainerDied(
        charge_point_id="CP-1", container_id="abc", exit_code=137
    )
    assert event(raw, "other", "image", {}) is None


def test_a_change_is_read_from_an_event() -> None:
    raw = happened("destroy", **LABELS)
    assert event(raw, "ci", "image", {}) == ContainerChanged(
        charge_point_id="CP-1", container_id="abc", change=Change.DESTROY
    )


def test_events_of_charge_points_without_labels_are_read() -> None:
    assert event(happened("die", exitCode="1"), "ci", "image", {"abc": "CP-9"}) == ContainerDied(
        charge_point_id="CP-9", container_id="abc", exit_code=1
    )
    started = event(happened("start", image="image"), "ci", "image", {})
    assert isinstance(started, ContainerChanged)
    assert event(happened("start", image="another"), "ci", "image", {}) is None
    assert event(happened("start", image="image", **LABELS), "other", "image", {}) is None
    assert event(happened("die", image="image", exitCode="1"), "ci", "image", {}) is None


def test_who_serves_all_networks_is_heard_to_start() -> None:
    proxy = {"cp-simu.environment": "ci", "cp-simu.role": "localhost-proxy", "name": "ci_proxy"}
    assert event(happened("start", **proxy), "ci", "image", {}) == NetworksChanged(
        what="container ci_proxy has started"
    )
    assert event(happened("start", **proxy), "ci-2", "image", {}) is None
    assert event(happened("destroy", **proxy), "ci", "image", {}) is None


def test_a_network_is_heard_to_go() -> None:
    def gone(name: str) -> EngineEvent | None:
        actor = {"ID": "n", "Attributes": {"name": name, "type": "bridge"}}
        raw = {"Type": "network", "Action": "destroy", "Actor": actor}
        return event(raw, "ci", "image", {})

    for name in ("ci", "ci_2"):
        assert gone(name) == NetworksChanged(what=f"network {name} is gone")
    assert gone("ci-2") is None


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [("Exited (137) 5 minutes ago", 137), ("Up 2 seconds", None), ("Created", None), ("", None)],
)
def test_the_exit_code_is_in_the_listing(status: str, exit_code: int | None) -> None:
    assert container_records([listed(Status=status)])["CP-1"].exit_code == exit_code


def test_the_network_is_in_the_listing() -> None:
    host = {"NetworkMode": "ci_2"}
    joined = {"Networks": {"ci_2": {"IPAddress": "172.19.0.7"}}}
    record = container_records([listed(HostConfig=host, NetworkSettings=joined)])["CP-1"]
    assert (record.network, record.connected, record.address) == ("ci_2", True, "172.19.0.7")
    cut = container_records([listed(HostConfig=host, NetworkSettings={"Networks": {}})])["CP-1"]
    assert (cut.network, cut.connected, cut.address) == ("ci_2", False, "")


def test_marks_are_read_from_a_listing() -> None:
    labels = {
        **mark_labels("ci", "CP-1", Mark.CUT, None),
        "cp-simu.address": "172.18.0.3",
    }
    volume = {"Name": "ci_cut.CP-1", "Labels": labels, "CreatedAt": "2026-11-24T06:21:00+01:00"}
    assert marks({"Volumes": [volume, {**volume, "Name": "mine"}]}) == {
        "CP-1": {
            Mark.CUT: MarkRecord(
                mark=Mark.CUT, specification=None, made_at=1795497660.0, address="172.18.0.3"
            )
        }
    }
    assert volume_records({"Volumes": [volume]}) == {}


def inspected(*variables: str, running: bool = True) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Name": "/simu_cp_1",
        "Image": "sha256:1",
        "Config": {"Env": list(variables), "Hostname": "box-1"},
        "State": {"Status": "running", "Running": running, "ExitCode": 0},
        "HostConfig": {"NetworkMode": "compose_default"},
        "NetworkSettings": {"Networks": {"compose_default": {"IPAddress": "172.20.0.2"}}},
    }


def test_a_charge_point_started_by_hand_is_known_by_its_variables() -> None:
    variables = (
        "SIMU_ID=CP-7",
        "SIMU_TOPIC_ROOT=ci",
        "SIMU_BROKER=broker",
        "SIMU_CENTRAL_SYSTEM=ws://h",
        "SIMU_NB_CONNECTORS=2",
    )
    record = by_hand(inspected(*variables), "ci")
    assert record is not None
    assert (record.charge_point_id, record.name, record.by_hand) == ("CP-7", "simu_cp_1", True)
    assert record.specification is not None
    assert record.specification.nb_connectors == 2
    assert by_hand(inspected(*variables), "other") is None
    assert by_hand(inspected(*variables[1:], "SIMU_ID=a/b"), "ci") is None
    broken = by_hand(inspected(*variables, "SIMU_NB_PHASES=x"), "ci")
    assert broken is not None
    assert broken.specification is None


@pytest.mark.parametrize(
    ("variables", "expected"), [((), "box-1"), (("SIMU_ID=CP-{hostname}",), "CP-box-1")]
)
def test_its_id_may_be_its_host_name(variables: tuple[str, ...], expected: str) -> None:
    common = ("SIMU_TOPIC_ROOT=ci", "SIMU_BROKER=broker", "SIMU_CENTRAL_SYSTEM=ws://h")
    record = by_hand(inspected(*common, *variables), "ci")
    assert record is not None
    assert record.charge_point_id == expected
    assert record.specification is not None
    assert record.specification.id == expected


def test_its_environment_may_be_named() -> None:
    variables = ("SIMU_ENVIRONMENT=ci-1", "SIMU_BROKER=broker", "SIMU_CENTRAL_SYSTEM=ws://h")
    assert by_hand(inspected(*variables), "ci-1") is not None
    assert by_hand(inspected(*variables), "cp-simu") is None


def test_who_has_no_broker_is_nobodys() -> None:
    assert by_hand(inspected("SIMU_CENTRAL_SYSTEM=ws://h"), "cp-simu") is None


def test_a_post_mortem_shows_bytes_that_are_no_text() -> None:
    state = {"ExitCode": 1, "OOMKilled": True, "Running": False}
    inspection = {"State": {**state, "FinishedAt": "2026-01-31T12:00:00.5Z"}}
    assert post_mortem(inspection, b"one\n\xfftwo\n") == PostMortem(
        exit_code=1,
        out_of_memory=True,
        last_log=("one", "\ufffdtwo"),
        finished_at=1_769_860_800.5,
    )
