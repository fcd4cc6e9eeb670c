from typing import Any

from launcher.docker_records import container_records, death, post_mortem, volume_records
from launcher.engine import ContainerDied, ContainerState, PostMortem

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


def test_a_death_is_read_from_an_event() -> None:
    event = {"Actor": {"ID": "abc", "Attributes": {**LABELS, "exitCode": "137"}}}
    assert death(event) == ContainerDied(charge_point_id="CP-1", container_id="abc", exit_code=137)


def test_a_post_mortem_shows_bytes_that_are_no_text() -> None:
    inspection = {"State": {"ExitCode": 1, "OOMKilled": True, "Running": False}}
    assert post_mortem(inspection, b"one\n\xfftwo\n") == PostMortem(
        exit_code=1, out_of_memory=True, last_log=("one", "\ufffdtwo")
    )
