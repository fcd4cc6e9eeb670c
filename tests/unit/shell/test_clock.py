"""The computer's clock and the simulated one."""

import time
from pathlib import Path

import pytest

from cp_image.shell.clock import Origin, SimulatedClock, WallClock, make_clock
from cp_image.shell.store import Store
from tests.support.hand_clock import HandClock

EPOCH = 1_700_000_000.0


def test_it_tells_epoch_seconds() -> None:
    assert abs(WallClock().now() - time.time()) < 1


def test_it_never_runs_backwards() -> None:
    clock = WallClock()
    instants = [clock.now() for _ in range(1000)]
    assert instants == sorted(instants)


def test_a_simulated_clock_runs_at_its_rate_from_its_origin() -> None:
    wall = HandClock(EPOCH)
    clock = SimulatedClock(wall, Origin(wall_at=EPOCH, simulated_at=1000.0), 60.0)
    assert clock.now() == 1000.0
    wall.at += 60
    assert clock.now() == 1000.0 + 3600
    assert clock.real_s(3600) == 60
    assert clock.wall_at(clock.now()) == wall.at


def test_a_simulated_clock_does_not_begin_before_its_origin() -> None:
    wall = HandClock(EPOCH)
    wall.at -= 10
    clock = SimulatedClock(wall, Origin(wall_at=EPOCH, simulated_at=1000.0), 60.0)
    assert clock.now() == 1000.0


def test_without_rate_and_start_it_is_the_computers(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        assert isinstance(make_clock(store, rate=1.0, start_at=None), WallClock)
        assert store.load() == {}


@pytest.mark.parametrize("rate", [1.0, 3600.0])
def test_a_power_cut_does_not_set_it_back(tmp_path: Path, rate: float) -> None:
    with Store(tmp_path) as store:
        before = make_clock(store, rate=rate, start_at=1000.0).now()
        assert before >= 1000.0
    with Store(tmp_path) as store:
        after = make_clock(store, rate=rate, start_at=1000.0).now()
    assert before < after < 1000.0 + 600 * rate
