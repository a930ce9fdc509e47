"""Which channel next: pure rules about refusals."""

import random
from collections.abc import Sequence
from enum import StrEnum

from bot.channels.contract import Reason

GIVE_UP_AFTER = 24 * 3600.0  # seconds after which a copy that nobody took is given up
FIRST_WAIT = 5.0
LONGEST_WAIT = 600.0
LONGEST_SILENCE = 3600.0  # whatever a platform asks for: a slip of its pen must not silence us for a year
_SCATTER = random.SystemRandom()


class Move(StrEnum):
    NEXT = "next"  # try the next channel of the chain now
    WAIT = "wait"  # the same channel takes it a little later


def after_refusal(reason: Reason, urgent: bool, more: bool, age: float = 0.0) -> Move:
    """A refusal for any reason leads to the next channel; only a busy one is worth waiting for, if nothing presses.

    `age` is for how many seconds the copy has waited already.
    """
    if reason is Reason.RATE_LIMITED and not (urgent and more) and age < GIVE_UP_AFTER:
        return Move.WAIT
    return Move.NEXT


def worth_retrying(reasons: Sequence[Reason], age: float) -> bool:
    """Whether a chain that refused as a whole is walked again: some refusal passes, and it is not given up yet."""
    return age < GIVE_UP_AFTER and any(reason.passes for reason in reasons)


def worth_updating_again(reason: Reason, age: float) -> bool:
    """Whether a copy that lies somewhere is changed in place later: also once somebody has mended its channel."""
    mendable = reason.passes or reason.breaks_channel or reason is Reason.NOT_SET_UP
    return age < GIVE_UP_AFTER and mendable


def silence(tries: int, asked: float | None) -> float:
    """Seconds to leave a busy platform alone: what it asks for, within reason."""
    return min(asked, LONGEST_SILENCE) if asked else backoff(tries)


def backoff(tries: int, retry_after: float | None = None) -> float:
    """Seconds until the next walk: doubling from five seconds to ten minutes, scattered so that copies do not march."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries, 10))
    return max(wait * _SCATTER.uniform(0.75, 1.25), min(retry_after or 0.0, LONGEST_SILENCE))
