"""Networks that are removed, whoever is in them; and what is said where the engine refuses."""

from typing import Any

import docker
import pytest
from docker.errors import APIError, NotFound

from supervisor_cli import environment
from supervisor_cli.errors import SimuError
from supervisor_cli.networks import ensure_network


class FakeEngine:
    """An engine with one network and no container, as docker's client shows it."""

    def __init__(self, inside: dict[str, str], *, refusal: str = "", refuses: int = 100) -> None:
        self.attrs = {"Containers": {key: {"Name": name} for key, name in inside.items()}}
        self.refusal = refusal
        self.refuses = refuses
        self.left: list[str] = []
        self.removed = False
        self.name = "ci-7"
        self.containers = self.networks = self.volumes = self

    def list(self, *, all: bool = False, **more: Any) -> list[Any]:  # noqa: A002 - as docker has it
        return [] if all or self.removed or "label" not in more["filters"] else [self]

    def reload(self) -> None:
        pass

    def disconnect(self, container: str, *, force: bool) -> None:
        assert force
        if container == "gone":
            raise NotFound("no such container")
        self.left.append(container)

    def remove(self, *, force: bool = False) -> None:
        if force:
            return  # as a volume
        if self.refusal and self.refuses:
            self.refuses -= 1
            raise APIError("refused", explanation=self.refusal)
        self.removed = True


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_BETWEEN_SWEEPS_S", 0.0)


def down(engine: FakeEngine) -> list[str]:
    client: docker.DockerClient = engine  # type: ignore[assignment]  # all of it that is asked for
    return environment.down(client, "ci-7", lambda _text: None)


def test_whoever_is_in_a_network_is_let_out_by_name() -> None:
    engine = FakeEngine({"c1": "my-csms", "c2": "gone", "ep-3f": "ci-7.CP-1"})
    assert "ci-7" in down(engine)
    assert engine.left == ["my-csms", "ci-7.CP-1"]
    assert engine.removed


def test_an_engine_that_counts_who_is_gone_is_told_of() -> None:
    engine = FakeEngine({}, refusal="network ci-7 has active endpoints")
    with pytest.raises(SimuError, match=r"cannot bring down .* has active endpoints") as caught:
        down(engine)
    assert "restart it" in str(caught.value.hint)


def test_what_is_in_use_for_a_moment_goes_with_the_next_sweep() -> None:
    engine = FakeEngine({}, refusal="network ci-7 has active endpoints", refuses=2)
    assert down(engine).count("ci-7") == 2  # the network, and what stands for a volume
    assert engine.removed


class Contended:
    """An engine on which somebody else takes the first subnets that are looked up."""

    def __init__(self, taken: int) -> None:
        self.networks = self
        self.name = "ci-7"
        self.attrs: dict[str, Any] = {}
        self.there = 0
        self._taken = taken
        self._looked_up = 0

    def get(self, _name: str) -> Any:
        raise NotFound("no such network")

    def create(self, _name: str, *, ipam: Any = None, **_options: Any) -> "Contended":
        if ipam is None:
            self._looked_up += 1
        elif self._looked_up <= self._taken:
            raise APIError("Pool overlaps with other one on this address space")
        subnet = f"172.{20 + self._looked_up}.0.0/16"
        self.attrs = {"IPAM": {"Config": [{"Subnet": subnet}]}, "named": ipam is not None}
        self.there += 1
        return self

    def remove(self) -> None:
        self.there -= 1

    def reload(self) -> None:
        pass


@pytest.mark.parametrize(("taken", "named"), [(0, True), (2, True), (100, False)])
def test_a_subnet_that_somebody_else_took_is_looked_for_again(taken: int, named: bool) -> None:
    engine = Contended(taken)
    client: docker.DockerClient = engine  # type: ignore[assignment]  # all of it that is asked for
    ensure_network(client, "ci-7")
    assert engine.attrs["named"] is named
    assert engine.there == 1
