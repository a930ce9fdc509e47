"""The only place where real time is read. Everything else is given a moment."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        ...

    async def until(self, moment: datetime) -> None:
        """Sleep until a moment by this clock."""
        ...


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


class MovableClock:
    """Real time plus an offset that tests move forward; whoever sleeps is woken to look again."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def forward(self, seconds: float) -> datetime:
        self._offset += timedelta(seconds=seconds)
        self._moved.set()
        self._moved = asyncio.Event()
        return self.now()

    async def until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._moved.wait()
            except TimeoutError:
                return
