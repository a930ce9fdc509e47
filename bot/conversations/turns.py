import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Line:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Turns:
    """One at a time per person, in the order in which they came; `waiting` more may stand in line."""

    def __init__(self, waiting: int = 3) -> None:
        self._longest = waiting + 1
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[bool]:
        """Waits for one's turn; false at once where the line is too long."""
        line = self._lines.setdefault(who, _Line())
        if line.length >= self._longest:
            yield False
            return
        line.length += 1
        try:
            async with line.lock:
                yield True
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[who]
