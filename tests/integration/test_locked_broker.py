"""An environment whose broker asks for a password and speaks TLS: all three programs get in."""

import asyncio
import json
import ssl
from pathlib import Path

import docker
import pytest

from cp_image.mqtt_link import (
    BrokerAccess,
    BrokerAddress,
    BrokerUnreachableError,
    Message,
    MqttLink,
    read_access,
)
from supervisor_cli import state
from supervisor_cli.environment import Role, container_name
from supervisor_cli.pki import Pki
from tests.integration.test_simuctl import Simuctl, csms_on_loopback

PASSWORD = "p\u00e4ss: w\u00f6rd"


@pytest.fixture
def locked(environment_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simuctl:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "pw").write_text(f"{PASSWORD}\n")
    return Simuctl(environment_name, tmp_path)


async def refusal(broker: BrokerAddress) -> str:
    """Return why the broker does not let somebody in."""
    link = MqttLink(address=broker, client_id="stranger", on_message=print)
    with pytest.raises(BrokerUnreachableError) as caught:
        await link.connect()
    await link.close()
    return str(caught.value)


async def test_nobody_else_gets_in(
    locked: Simuctl, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    options = ["--broker-user", "me", "--broker-password-file", str(tmp_path / "pw")]
    await locked.good("up", "--broker-port", "0", *options, "--broker-tls")
    async with csms_on_loopback(locked) as (url, _lines):
        assert "Accepted" in await locked.good("add", "CP-1", "-u", url)
        await locked.good("restart", "CP-1")
        (shown,) = json.loads(await locked.good("ls", "--json"))
        assert shown["status"] == "Accepted"

        written = state.load(locked.environment_name)
        assert written is not None
        tls = read_access({"SIMU_BROKER_CA": written.ca}).tls

        def broker(access: BrokerAccess) -> BrokerAddress:
            return BrokerAddress(host=written.host, port=written.port, access=access)

        assert "ot authorized" in await refusal(broker(BrokerAccess(tls=tls)))
        wrong = BrokerAccess(user="me", password="wrong", tls=tls)
        assert "ot authorized" in await refusal(broker(wrong))
        other = ssl.create_default_context(cafile=str(Pki.create(tmp_path / "other").root_ca))
        stranger = BrokerAccess(user="me", password=PASSWORD, tls=other)
        assert "its certificate is not good" in await refusal(broker(stranger))
        await refusal(broker(BrokerAccess(user="me", password=PASSWORD)))  # without TLS

        # Left-out options let nobody in, and leave alone what runs.
        before = docker_client.containers.get(
            container_name(locked.environment_name, Role.BROKER)
        ).id
        await locked.good("up", "--broker-port", "0")
        after = docker_client.containers.get(
            container_name(locked.environment_name, Role.BROKER)
        ).id
        assert after == before
        assert "ot authorized" in await refusal(broker(BrokerAccess(tls=tls)))

        for container in docker_client.containers.list(
            all=True, filters={"label": f"cp-simu.environment={locked.environment_name}"}
        ):
            assert PASSWORD not in json.dumps(container.attrs, ensure_ascii=False)
            assert PASSWORD not in container.logs().decode()
    await locked.good("down", "--yes")
    mine = {"label": f"cp-simu.environment={locked.environment_name}"}
    assert docker_client.volumes.list(filters=mine) == []


async def test_much_at_once_over_tls(locked: Simuctl, tmp_path: Path) -> None:
    """What one TLS record brings is read to its end, however many messages are in it."""
    await locked.good("up", "--broker-port", "0", "--broker-tls")
    written = state.load(locked.environment_name)
    assert written is not None
    heard: list[bytes] = []
    complete = asyncio.Event()

    def hear(message: Message) -> None:
        heard.append(message.payload)
        if len(heard) == 2000:
            complete.set()

    link = MqttLink(address=written.address(), client_id="much", on_message=hear)
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(120):
        await link.wait_connected()
        link.subscribe_filter("much/#")
        await link.confirm_subscriptions()
        for number in range(2000):
            link.publish(Message(topic="much", payload=b"%d" % number, retain=False))
        await complete.wait()
    assert heard == [b"%d" % number for number in range(2000)]
    await link.close()
    await running
