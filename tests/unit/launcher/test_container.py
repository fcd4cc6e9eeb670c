from dataclasses import replace

import msgspec
import pytest

from cp_image.api.payloads import ChargePointType
from launcher.api import Specification
from launcher.container import ContainerRequest, Surroundings, request, specification_of

SURROUNDINGS = Surroundings(
    environment="ci-7",
    image="cp-simu/charge-point",
    broker="broker:1883",
    host_broker="127.0.0.1:1883",
    largest_bridge=1000,
    localhost_proxy="http://172.18.0.1:17016",
    log_level="info",
)
SPECIFICATION = Specification(
    id="CP-1",
    type=ChargePointType.DC,
    vendor="V",
    model="M",
    serial="S",
    nb_connectors=2,
    max_setpoint=150_000,
    max_setpoint_per_connector=75_000.5,
    voltage=400.0,
    central_system="ws://localhost:9000",
)


def made(
    specification: Specification = SPECIFICATION,
    surroundings: Surroundings = SURROUNDINGS,
    *,
    csms_on_loopback: bool = False,
) -> ContainerRequest:
    return request(specification, surroundings, csms_on_loopback=csms_on_loopback)


def test_names_and_labels_say_whose_it_is() -> None:
    container = made()
    assert container.name == "ci-7.CP-1"
    assert container.network == "ci-7"
    assert container.labels["cp-simu.environment"] == "ci-7"
    assert container.labels["cp-simu.role"] == "charge-point"
    assert container.labels["cp-simu.charge-point-id"] == "CP-1"
    assert specification_of(container.labels) == SPECIFICATION
    assert specification_of(container.volume_labels) == SPECIFICATION


def test_a_dense_charge_point_has_a_profile_of_system_calls_and_is_another_container() -> None:
    dense = made(surroundings=replace(SURROUNDINGS, dense=True))
    assert dense.variables == {**made().variables, "SIMU_DENSE": "1"}
    assert dense.seccomp is not None
    assert made().seccomp is None
    assert dense.fingerprint != made().fingerprint


def test_the_environment_variables_carry_the_specification() -> None:
    assert made().variables == {
        "SIMU_ID": "CP-1",
        "SIMU_CENTRAL_SYSTEM": "ws://localhost:9000",
        "SIMU_TYPE": "DC",
        "SIMU_VENDOR": "V",
        "SIMU_MODEL": "M",
        "SIMU_SERIAL": "S",
        "SIMU_NB_CONNECTORS": "2",
        "SIMU_NB_PHASES": "1",
        "SIMU_VOLTAGE": "400.0",
        "SIMU_FREQUENCY": "50.0",
        "SIMU_SEED": "0",
        "SIMU_MAX_SETPOINT": "150000",
        "SIMU_MAX_SETPOINT_PER_CONNECTOR": "75000.5",
        "SIMU_BROKER": "broker:1883",
        "SIMU_TOPIC_ROOT": "ci_7",
        "SIMU_STATE_DIRECTORY": "/data",
        "SIMU_CONTAINER": "ci-7.CP-1",
        "SIMU_LOG_LEVEL": "info",
        "SIMU_CLOCK_RATE": "1.0",
        "SIMU_CONFIGURATION": "{}",
    }


def test_the_proxy_is_for_a_csms_on_the_machines_own_loopback() -> None:
    assert made(csms_on_loopback=True).variables["SIMU_CSMS_PROXY"] == "http://172.18.0.1:17016"
    without = replace(SURROUNDINGS, localhost_proxy=None)
    assert "SIMU_CSMS_PROXY" not in made(SPECIFICATION, without, csms_on_loopback=True).variables


@pytest.mark.parametrize(
    ("charge_point_id", "hostname"),
    [
        ("CP-1", "CP-1"),
        ("a.b", "a.b"),
        ("simu_cp_AC1", None),
        ("-a", None),
        ("a-", None),
        ("..", None),
        ("a" * 48, "a" * 48),
    ],
)
def test_the_id_is_the_host_name_where_it_can_be(
    charge_point_id: str, hostname: str | None
) -> None:
    specification = msgspec.structs.replace(SPECIFICATION, id=charge_point_id)
    assert made(specification).hostname == hostname


def test_the_fingerprint_changes_with_anything() -> None:
    others = [
        made(msgspec.structs.replace(SPECIFICATION, vendor="W")),
        made(surroundings=replace(SURROUNDINGS, image="other")),
        made(surroundings=replace(SURROUNDINGS, broker="b:1")),
        made(csms_on_loopback=True),
    ]
    assert made().fingerprint == made().fingerprint
    assert len({each.fingerprint for each in [made(), *others]}) == 5


@pytest.mark.parametrize("label", ["", "{", "{}", '{"id":"CP-1"}'])
def test_a_label_that_cannot_be_read_is_none(label: str) -> None:
    assert specification_of({"cp-simu.specification": label}) is None
    assert specification_of({}) is None
