"""Where a broker listens, as its container's inspection says."""

from typing import Any

import pytest

from supervisor_cli.published_broker import address_of
from supervisor_cli.state import Broker


def bound(host: str, port: str) -> dict[str, Any]:
    return {"1883/tcp": [{"HostIp": host, "HostPort": port}]}


@pytest.mark.parametrize(
    ("is_now", "is_to_be", "expected"),
    [
        (bound("127.0.0.1", "18830"), bound("127.0.0.1", "18830"), Broker(port=18830)),
        (bound("0.0.0.0", "49153"), bound("", "0"), Broker(port=49153)),
        (bound("10.0.0.1", "1"), bound("10.0.0.1", "1"), Broker(host="10.0.0.1", port=1)),
        # One that has stopped is where it will be again, not where another one may listen.
        ({}, bound("127.0.0.1", "18830"), Broker(port=18830)),
        ({}, bound("", ""), None),
        ({"1883/tcp": None}, None, None),
    ],
)
def test_where_it_listens(is_now: Any, is_to_be: Any, expected: Broker | None) -> None:
    inspection = {"NetworkSettings": {"Ports": is_now}, "HostConfig": {"PortBindings": is_to_be}}
    assert address_of(inspection) == expected
