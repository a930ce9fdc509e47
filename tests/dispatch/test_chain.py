"""Which channel next."""

import pytest

from bot.channels.contract import Reason
from bot.dispatch.chain import GIVE_UP_AFTER, LONGEST_WAIT, Move, after_refusal, backoff, worth_retrying


@pytest.mark.parametrize(
    "reason, urgent, more, expected",
    [
        (Reason.UNAVAILABLE, False, True, Move.NEXT),
        (Reason.TIMED_OUT, False, True, Move.NEXT),
        (Reason.UNAUTHORIZED, False, True, Move.NEXT),
        (Reason.NO_ADDRESS, True, True, Move.NEXT),
        (Reason.RATE_LIMITED, False, True, Move.WAIT),
        (Reason.RATE_LIMITED, True, True, Move.NEXT),
        (Reason.RATE_LIMITED, True, False, Move.WAIT),
    ],
)
def test_a_refusal_leads_on_and_only_a_busy_channel_is_waited_for(
    reason: Reason, urgent: bool, more: bool, expected: Move
) -> None:
    assert after_refusal(reason, urgent, more) is expected


@pytest.mark.parametrize(
    "reasons, age, expected",
    [
        ([Reason.UNAVAILABLE], 0, True),
        ([Reason.NO_ADDRESS, Reason.TIMED_OUT], 0, True),
        ([Reason.NO_ADDRESS, Reason.UNAUTHORIZED], 0, False),
        ([Reason.NOT_SET_UP], 0, False),
        ([Reason.UNAVAILABLE], GIVE_UP_AFTER, False),
        ([], 0, False),
    ],
)
def test_a_chain_is_walked_again_only_where_that_can_help(reasons: list[Reason], age: float, expected: bool) -> None:
    assert worth_retrying(reasons, age) is expected


def test_waits_double_up_to_a_limit_and_are_scattered() -> None:
    first = {backoff(0) for _ in range(20)}
    assert all(3.75 <= wait <= 6.25 for wait in first)
    assert len(first) > 1
    assert all(backoff(tries) <= LONGEST_WAIT * 1.25 for tries in range(50))
    assert min(backoff(4) for _ in range(20)) > max(first)


def test_what_the_platform_asks_for_is_the_least() -> None:
    assert backoff(0, retry_after=99) >= 99
