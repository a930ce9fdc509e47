"""What a channel's answers say about the channel."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.contract import Reason
from bot.dispatch.health import (
    HANGS_IN_A_ROW,
    PAUSE,
    ChannelHealth,
    Condition,
    HealthBoard,
    after_refusal,
    after_success,
)

AT = datetime(2026, 11, 21, tzinfo=UTC)
WELL = ChannelHealth("x")


@pytest.mark.parametrize(
    "reason, expected",
    [
        (Reason.UNAUTHORIZED, Condition.BROKEN),
        (Reason.UNAVAILABLE, Condition.FAILING),
        (Reason.TIMED_OUT, Condition.FAILING),
        (Reason.NO_ADDRESS, Condition.READY),
        (Reason.REFUSED, Condition.READY),
        (Reason.TOO_LARGE, Condition.READY),
        (Reason.RATE_LIMITED, Condition.READY),
    ],
)
def test_only_some_refusals_are_about_the_channel(reason: Reason, expected: Condition) -> None:
    assert after_refusal(WELL, reason, "", AT).condition is expected


def test_a_success_makes_it_well_again() -> None:
    broken = after_refusal(WELL, Reason.UNAUTHORIZED, "invalid_auth", AT)
    assert after_success(broken, AT).condition is Condition.READY


def test_an_outage_does_not_hide_that_it_is_broken() -> None:
    broken = after_refusal(WELL, Reason.UNAUTHORIZED, "", AT)
    assert after_refusal(broken, Reason.UNAVAILABLE, "", AT).condition is Condition.BROKEN


def test_it_is_broken_since_the_first_refusal() -> None:
    broken = after_refusal(WELL, Reason.UNAUTHORIZED, "", AT)
    assert after_refusal(broken, Reason.UNAUTHORIZED, "", AT + timedelta(hours=1)).since == AT


def test_one_that_hangs_again_and_again_is_spared_for_a_moment() -> None:
    health = WELL
    for _ in range(HANGS_IN_A_ROW - 1):
        health = after_refusal(health, Reason.TIMED_OUT, "", AT)
    assert not health.paused(AT)
    health = after_refusal(health, Reason.TIMED_OUT, "", AT)
    assert health.paused(AT)
    assert not health.paused(AT + PAUSE)


def test_the_board_says_when_a_condition_turns() -> None:
    board = HealthBoard()
    broken = after_refusal(WELL, Reason.UNAUTHORIZED, "", AT)
    assert board.put(broken)
    assert not board.put(after_refusal(broken, Reason.UNAUTHORIZED, "", AT))
    assert board.put(after_success(broken, AT))
