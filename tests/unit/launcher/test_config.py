from pathlib import Path

import pytest

from cp_image.mqtt_link import BrokerAddress
from launcher.config import VARIABLES, ConfigError, from_environment
from supervisor_cli.pki import Pki


def test_without_variables_the_defaults_hold() -> None:
    config = from_environment({})
    assert config.environment == "cp-simu"
    assert config.root == "cp_simu"
    assert config.broker == BrokerAddress(host="127.0.0.1", port=1883)
    assert config.charge_point_broker == BrokerAddress(host="broker", port=1883)
    assert config.charge_point_image == "cp-simu/charge-point"
    assert config.localhost_proxy is None
    assert config.log_level == "info"


def test_every_variable_is_read(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("secret")
    values = {
        "SIMU_ENVIRONMENT": "ci-7",
        "SIMU_BROKER": "[::1]:1999",
        "SIMU_CHARGE_POINT_BROKER": "mosquitto",
        "SIMU_CHARGE_POINT_IMAGE": "registry.example:5000/simu/cp:1.2",
        "SIMU_LOCALHOST_PROXY": "http://172.18.0.1:17016",
        "SIMU_LARGEST_BRIDGE": "500",
        "SIMU_SIDE_BY_SIDE": "8",
        "SIMU_MOST_CRASHES": "3",
        "SIMU_HEARD_WITHIN": "90",
        "SIMU_BROKER_USER": "me",
        "SIMU_BROKER_PASSWORD_FILE": str(tmp_path / "pw"),
        "SIMU_BROKER_CA": str(Pki.create(tmp_path / "pki").root_ca),
        "SIMU_BROKER_ACCESS_VOLUME": "ci-7_broker-access-0123",
        "SIMU_DENSE": "1",
        "SIMU_LOG_LEVEL": "DEBUG",
    }
    assert values.keys() == VARIABLES.keys()
    config = from_environment(values)
    assert config.root == "ci_7"
    access = config.broker.access
    assert config.broker == BrokerAddress(host="::1", port=1999, access=access)
    assert (access.user, access.password, access.tls is None) == ("me", "secret", False)
    assert config.surroundings.broker_access_volume == "ci-7_broker-access-0123"
    assert (config.surroundings.broker_user, config.surroundings.broker_tls) == ("me", True)
    surroundings = config.surroundings
    assert surroundings.broker == "mosquitto:1883"
    assert surroundings.image == "registry.example:5000/simu/cp:1.2"
    assert surroundings.localhost_proxy == "http://172.18.0.1:17016"
    assert surroundings.host_broker == "::1:1999"
    assert (surroundings.largest_bridge, config.heard_within_s) == (500, 90)
    assert (config.side_by_side, config.most_crashes, surroundings.dense) == (8, 3, True)
    assert (surroundings.environment, surroundings.log_level) == ("ci-7", "debug")


def test_an_empty_variable_counts_as_unset() -> None:
    assert from_environment(dict.fromkeys(VARIABLES, " ")) == from_environment({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMU_ENVIRONMENT", "CP_SIMU"),
        ("SIMU_ENVIRONMENT", "-a"),
        ("SIMU_ENVIRONMENT", "a" * 33),
        ("SIMU_BROKER", "host:port"),
        ("SIMU_BROKER", "host:0"),
        ("SIMU_BROKER", "host:70000"),
        ("SIMU_BROKER", ":1883"),
        ("SIMU_BROKER", "mqtt://host:1883"),
        ("SIMU_BROKER", "user@host:1883"),
        ("SIMU_CHARGE_POINT_BROKER", "host/path"),
        ("SIMU_CHARGE_POINT_IMAGE", "--privileged"),
        ("SIMU_LOCALHOST_PROXY", "172.18.0.1:17016"),
        ("SIMU_LOCALHOST_PROXY", "http://172.18.0.1"),
        ("SIMU_LOCALHOST_PROXY", "http://172.18.0.1:x"),
        ("SIMU_LARGEST_BRIDGE", "0"),
        ("SIMU_LARGEST_BRIDGE", "1001"),
        ("SIMU_SIDE_BY_SIDE", "65"),
        ("SIMU_MOST_CRASHES", "0"),
        ("SIMU_HEARD_WITHIN", "soon"),
        ("SIMU_LOG_LEVEL", "loud"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_environment({name: value})
    assert str(caught.value).startswith(f"{name} is '{value}'")
