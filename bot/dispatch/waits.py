"""Callers that hold a request open until a question has ended."""

import asyncio
from collections import defaultdict


class Waits:
    """One event per question that somebody here waits for; another replica's end is seen by looking again."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = defaultdict(set)

    def tell(self, interaction_id: str) -> None:
        for event in self._events.get(interaction_id, ()):
            event.set()

    async def until_told(self, interaction_id: str, seconds: float) -> None:
        """Return when told, or when the time is over."""
        event = asyncio.Event()
        self._events[interaction_id].add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._events[interaction_id].discard(event)
            if not self._events[interaction_id]:
                del self._events[interaction_id]
