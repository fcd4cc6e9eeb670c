"""Frames come out in order, each once, whatever comes in."""

from hypothesis import given
from hypothesis import strategies as st

from cp_image.api.payloads import Frame, FrameDirection
from supervisor_cli.frame_order import FrameOrder, Ordered


def frame(n: int, life: float = 1.0, replayed_for: str | None = None) -> Frame:
    return Frame(
        n=n,
        started_at=life,
        at=n,
        direction=FrameDirection.SENT,
        message=[2, str(n), "Heartbeat", {}],
        action="Heartbeat",
        connection=1,
        replayed_for=replayed_for,
    )


def numbers(*ordered: Ordered) -> list[int]:
    return [each.n for one in ordered for each in one.frames]


def test_in_order() -> None:
    order = FrameOrder()
    assert numbers(*(order.take(frame(n)) for n in (7, 8, 9))) == [7, 8, 9]


def test_twice() -> None:
    order = FrameOrder()
    assert numbers(*(order.take(frame(n)) for n in (1, 1, 2, 1, 2))) == [1, 2]


def test_what_was_asked_for_comes_before_what_passed_meanwhile() -> None:
    order = FrameOrder()
    order.asked("r")
    meanwhile = [order.take(frame(4))]
    meanwhile += [order.take(frame(n, replayed_for="r")) for n in (2, 3, 4)]
    assert numbers(*meanwhile) == []
    assert not order.is_answer("other")
    assert order.is_answer("r")
    assert numbers(order.answered()) == [2, 3, 4]
    assert not order.asking
    assert numbers(order.take(frame(5))) == [5]


def test_what_others_asked_for_is_theirs() -> None:
    order = FrameOrder()
    assert numbers(order.take(frame(1, replayed_for="other"))) == []
    order.asked("mine")
    order.take(frame(2, replayed_for="other"))
    order.take(frame(3, replayed_for=""))
    order.take(frame(4, replayed_for="mine"))
    assert numbers(order.answered()) == [4]


def test_a_gap_is_to_be_filled() -> None:
    order = FrameOrder()
    order.take(frame(1))
    gap = order.take(frame(4))
    assert (gap.incomplete, numbers(gap)) == (True, [])
    order.asked("r")
    for n in (2, 3, 4):
        order.take(frame(n, replayed_for="r"))
    filled = order.answered()
    assert (numbers(filled), filled.missed) == ([2, 3, 4], 0)


def test_a_gap_that_nobody_can_fill_is_counted() -> None:
    order = FrameOrder()
    order.take(frame(1))
    order.take(frame(4))
    order.asked("r")
    for n in (4, 6):
        order.take(frame(n, replayed_for="r"))
    rest = order.answered()
    assert (numbers(rest), rest.missed) == ([4, 6], 3)


def test_a_new_life_counts_anew_and_nothing_of_the_old_comes_again() -> None:
    order = FrameOrder()
    order.take(frame(9))
    assert numbers(order.take(frame(1, life=2.0)), order.take(frame(2, life=2.0))) == [1, 2]
    assert numbers(order.take(frame(10)), order.take(frame(3, life=2.0))) == [3]


def test_the_beginning_of_a_new_life_is_asked_for() -> None:
    order = FrameOrder()
    order.take(frame(9))
    assert order.take(frame(3, life=2.0)).incomplete


def test_a_clock_that_was_set_back_makes_a_new_life_too() -> None:
    order = FrameOrder()
    order.take(frame(9, life=5.0))
    assert numbers(order.take(frame(1, life=2.0))) == [1]


@given(st.lists(st.integers(1, 30)), st.booleans())
def test_never_twice_and_never_backwards(ns: list[int], ask: bool) -> None:
    order = FrameOrder()
    told: list[int] = []
    for n in ns:
        ordered = order.take(frame(n))
        told += numbers(ordered)
        if ordered.incomplete and ask:
            order.asked("r")
            for missing in range(1, n + 1):
                order.take(frame(missing, replayed_for="r"))
            told += numbers(order.answered())
    assert told == sorted(set(told))
    if ask and told:
        assert told == list(range(told[0], told[-1] + 1))
