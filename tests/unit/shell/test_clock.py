import time

from cp_image.shell.clock import WallClock


def test_it_tells_epoch_seconds() -> None:
    assert abs(WallClock().now() - time.time()) < 1


def test_it_never_runs_backwards() -> None:
    clock = WallClock()
    instants = [clock.now() for _ in range(1000)]
    assert instants == sorted(instants)
