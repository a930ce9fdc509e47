"""How long a test waits for what has to come: long enough for the busiest machine, and not for ever."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable

PATIENCE = 60.0  # seconds


async def until(question: Callable[[], object], what: str) -> None:
    """Return when a function, or a coroutine function, that is asked again and again answers with something true."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _answer(question):
                await a_moment()
    except TimeoutError:
        raise TimeoutError(f"waited {PATIENCE:g} s for {what}") from None


async def _answer(question: Callable[[], object]) -> object:
    answer = question()
    return await answer if isawaitable(answer) else answer


async def a_moment() -> None:
    """For what can only be looked at again and again."""
    await asyncio.sleep(0.02)
