"""Security as the launcher sees it: which profile, which volume; never a secret."""

from dataclasses import replace

import msgspec
import pytest

from cp_image.api.secrets import SecurityProfile, TlsVerification
from launcher.api import secrets_labels, secrets_volume
from launcher.container import ContainerRequest, name, request
from launcher.fleet import EntryError, entry, read_specification
from tests.unit.launcher.fakes import FakeBroker, FakeEngine
from tests.unit.launcher.test_container import SPECIFICATION, SURROUNDINGS, made
from tests.unit.launcher.test_daemon import entry as asked
from tests.unit.launcher.test_daemon import run

SECURE = msgspec.structs.replace(
    SPECIFICATION,
    central_system="wss://localhost:9000",
    security_profile=SecurityProfile.MUTUAL_TLS,
    authorization_user="operator",
    tls_verification=TlsVerification.NO_HOST_NAME,
    secrets=True,
)


def variables(container: ContainerRequest) -> dict[str, str]:
    return {
        each: value
        for each, value in container.variables.items()
        if each.startswith(("SIMU_BROKER_", "SIMU_TLS", "SIMU_SEC", "SIMU_AUTH"))
    }


def test_a_charge_point_is_told_its_profile() -> None:
    assert variables(made(SECURE)) == {
        "SIMU_SECURITY_PROFILE": "3",
        "SIMU_AUTHORIZATION_USER": "operator",
        "SIMU_TLS_VERIFICATION": "no-host-name",
    }
    assert variables(made()) == {}


def test_secrets_are_a_volume_that_is_no_charge_points_own() -> None:
    container = made(SECURE)
    assert container.secrets_volume == "ci-7_secrets.CP-1"
    assert container.secrets_labels == secrets_labels("ci-7", "CP-1")
    assert made().secrets_volume is None
    assert secrets_volume("ci-7", "CP-1") != name("ci-7", "CP-1.secrets")


def test_into_a_locked_broker_by_files() -> None:
    locked = replace(SURROUNDINGS, broker_access_volume="v-1", broker_user="me", broker_tls=True)
    container = made(surroundings=locked)
    assert container.broker_access_volume == "v-1"
    assert variables(container) == {
        "SIMU_BROKER_USER": "me",
        "SIMU_BROKER_PASSWORD_FILE": "/run/cp-simu-broker/password",
        "SIMU_BROKER_CA": "/run/cp-simu-broker/ca.pem",
    }
    # A new password is a new volume: such a container is made anew.
    other = request(
        SPECIFICATION, replace(locked, broker_access_volume="v-2"), csms_on_loopback=False
    )
    assert other.fingerprint != container.fingerprint


def test_an_entry_says_what_is_not_usual() -> None:
    said = entry(SECURE)
    assert (said["security_profile"], said["secrets"]) == (3, True)
    assert read_specification(msgspec.json.encode(said)) == SECURE
    assert not entry(SPECIFICATION).keys() & {"security_profile", "secrets", "tls_verification"}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"security_profile": 4}, "security_profile is 4"),
        ({"security_profile": 2}, "security profile 2 needs a wss:// URL"),
        ({"security_profile": 3}, "security profile 3 needs a wss:// URL"),
        ({"authorization_user": "a:b"}, "authorization_user is"),
        ({"authorization_user": "a\nb"}, "authorization_user is"),
        ({"tls_verification": "hardly"}, "tls_verification is"),
        ({"secrets": "/etc"}, "secrets is"),
    ],
)
def test_an_entry_is_refused_with(fields: dict[str, object], text: str) -> None:
    given = {"id": "CP-1", "type": "AC", "central_system": "ws://localhost:9000", **fields}
    with pytest.raises(EntryError, match=text):
        read_specification(msgspec.json.encode(given))


@pytest.mark.parametrize("key", ["AuthorizationKey", "AUTHORIZATIONKEY"])
def test_a_secret_is_refused_before_anybody_writes_it_down(key: str) -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        answer = await broker.command("start", asked(configuration={key: "5ec7e7"}))
        assert not answer.ok
        text = answer.results[0].text
        assert "configuration cannot have AuthorizationKey: a secret comes as a file" in text
        assert "5ec7e7" not in text
        assert engine.volumes == {}
        assert await broker.scan() == {}

    run(body)


def test_profile_1_goes_without_tls() -> None:
    given = {"id": "C", "type": "AC", "central_system": "ws://h", "security_profile": 1}
    assert read_specification(msgspec.json.encode(given)).security_profile == 1


def test_secrets_go_with_the_charge_point_and_not_before() -> None:
    async def body(broker: FakeBroker, engine: FakeEngine) -> None:
        removal = f"remove_volume {secrets_volume('ci-7', 'CP-1')}"
        assert (await broker.command("start", asked(secrets=True))).ok
        assert (await broker.command("kill", {"id": "CP-1"})).ok
        assert (await broker.command("start", asked(secrets=True))).ok
        assert removal not in engine.calls
        assert (await broker.command("remove", {"id": "CP-1"})).ok
        assert removal in engine.calls

    run(body)
