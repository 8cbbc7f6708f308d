"""A signal that comes in a block that must not break off: heard afterwards, by whoever hears signals around it."""

from __future__ import annotations

import signal

import pytest

from scripts.interruption import Interrupted, interruptible, postponed, uninterruptible


def test_the_block_ends_and_then_the_signal_is_heard() -> None:
    done: list[object] = []

    def interrupted() -> None:
        with interruptible(), postponed() as asked_to_stop:
            done.append(asked_to_stop())
            signal.raise_signal(signal.SIGTERM)
            done.append(asked_to_stop())

    with pytest.raises(Interrupted, match="SIGTERM"):
        interrupted()
    assert done == [False, True]


def test_what_must_not_be_interrupted_at_all_is_not_by_a_block_within() -> None:
    with interruptible(), uninterruptible():
        with postponed():
            signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached


def test_an_error_of_the_block_is_not_hidden_by_a_signal() -> None:
    def failing() -> None:
        with interruptible(), postponed():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        failing()
