"""What an environment's own containers are told."""

import pytest

from supervisor_cli import pieces
from supervisor_cli.pieces import EnvironmentSettings, Running


@pytest.mark.parametrize(
    ("listens_on", "reached_at"),
    [("127.0.0.1", "127.0.0.1"), ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "127.0.0.1")],
)
def test_the_launcher_goes_to_an_address_that_a_certificate_can_name(
    listens_on: str, reached_at: str
) -> None:
    settings = EnvironmentSettings(name="x", broker_host=listens_on)
    running = Running(broker_host=listens_on, broker_port=1883, localhost_proxy="http://x:1")
    made = pieces.launcher(settings, running, 0)
    assert made.environment["SIMU_BROKER"] == f"{reached_at}:1883"
