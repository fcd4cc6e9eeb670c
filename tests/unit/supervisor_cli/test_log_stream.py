"""The log of a container that ends, from an engine that leaves out its last lines."""

import time
from typing import Any, cast

import pytest
import requests
from docker.errors import APIError
from docker.models.containers import Container

from supervisor_cli.errors import SimuError
from supervisor_cli.log_stream import LogStream

LINES = tuple(b"2026-01-31T12:00:0%d.5Z line %d\n" % (n, n) for n in range(4))
TEXTS = [f"line {n}" for n in range(4)]


class Followed:
    """What the engine streams of a log."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = iter(chunks)

    def __iter__(self) -> "Followed":
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        self._chunks = iter(())


class Ended:
    """A container that ends while it is followed."""

    def __init__(self, *chunks: bytes, refusal: int = 0) -> None:
        self._chunks = chunks
        self._refusal = refusal
        self.asked: list[dict[str, Any]] = []

    def stream(self, **options: Any) -> LogStream:
        return LogStream(cast("Container", self), "CP-1", **options)

    def logs(self, *, stream: bool = False, follow: bool = False, **options: Any) -> Any:
        assert options.pop("timestamps")
        assert stream is follow
        self.asked.append(options)
        if stream:
            return Followed(self._chunks)
        if self._refusal:
            answer = requests.Response()
            answer.status_code = self._refusal
            raise APIError("no", response=answer)
        return b"".join(LINES)


@pytest.mark.parametrize("followed", [1, 2, 4])
def test_what_was_left_out_is_read_once_more(followed: int) -> None:
    ended = Ended(*LINES[:followed])
    assert [line.text for line in ended.stream(tail=7)] == TEXTS
    assert ended.asked[1] == {"since": 1_769_860_800.0 + followed - 1}


def test_all_of_it_may_have_been_left_out() -> None:
    ended = Ended()
    assert [line.text for line in ended.stream(tail=7)] == TEXTS
    assert ended.asked == [{"tail": 7, "since": None}] * 2


def test_who_wanted_none_of_the_old_lines_still_hears_the_last() -> None:
    ended = Ended()
    before = time.time()
    assert [line.text for line in ended.stream(tail=0)] == TEXTS
    assert set(ended.asked[1]) == {"since"}
    assert before <= ended.asked[1]["since"] <= time.time()


def test_half_a_line_is_told_once() -> None:
    ended = Ended(LINES[0], LINES[1][:30])
    assert [line.text for line in ended.stream()] == TEXTS


@pytest.mark.parametrize("status", [404, 409])
def test_of_a_container_that_was_removed_there_is_no_more(status: int) -> None:
    ended = Ended(LINES[0], LINES[1].rstrip(), refusal=status)
    assert [line.text for line in ended.stream()] == TEXTS[:2]


def test_an_engine_that_refuses_says_so() -> None:
    with pytest.raises(SimuError, match="the engine gives no logs"):
        list(Ended(LINES[0], refusal=500).stream())


def test_who_closes_it_wants_no_more() -> None:
    ended = Ended(*LINES)
    stream = ended.stream()
    lines = iter(stream)
    assert next(lines).text == "line 0"
    stream.close()
    assert list(lines) == []
    assert len(ended.asked) == 1
