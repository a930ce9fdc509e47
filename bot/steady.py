"""Loops that must not die: what goes wrong in one round is logged, and the next round comes a little later."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.store import StoreUnavailable

log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[object]]
Sleep = Callable[[float], Awaitable[None]]

FIRST = 1.0  # seconds to wait after a failure; twice as many after the next
LONGEST = 30.0


def never() -> bool:
    return False


async def forever(
    name: str,
    step: Step,
    every: float = 0.0,
    *,
    longest: float = LONGEST,
    over: Callable[[], bool] = never,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Take the step every so many seconds, whatever comes of it, until it is over or cancelled.

    A step that fails is taken again after a second, and later and later while it goes on failing, at most `longest`.
    """
    failures = 0
    while not over():
        began = asyncio.get_running_loop().time()
        try:
            await step()
        except (StoreUnavailable, OSError) as error:
            log.warning("%s: %s", name, error)
        except Exception:  # whatever it is, what is due tomorrow must be done tomorrow
            log.exception("%s: this failed and is tried again", name)
        else:
            failures = 0
            await sleep(every)
            continue
        if asyncio.get_running_loop().time() - began > longest:  # it went well for long
            failures = 0
        await sleep(pause(failures, longest))
        failures += 1


def pause(failures: int, longest: float = LONGEST) -> float:
    """How long to wait after one more failure than so many."""
    return min(longest, FIRST * 2.0 ** min(failures, 20))
