"""What has to happen at a time: rows, so that nothing is forgotten while nobody runs; each fires once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.store import Store, StoreUnavailable, Tx

log = logging.getLogger(__name__)

Due = Callable[[Tx, str, datetime], Awaitable[None]]
LOOK_AGAIN = 1.0
AT_ONCE = 50
TAKE = "DELETE FROM timer WHERE id IN (SELECT id FROM timer WHERE due_at <= :now ORDER BY due_at LIMIT :most "


class Timers:
    """Fires due timers: `kinds` says what each kind does, inside of the transaction that takes the timer away."""

    def __init__(self, store: Store, clock: Clock, kinds: Mapping[str, Due], fired: Callable[[str, str], None]) -> None:
        self._store = store
        self._clock = clock
        self._kinds = kinds
        self._fired = fired

    async def run(self) -> None:
        """Fire until cancelled."""
        while True:
            now = self._clock.now()
            try:
                busy = await self.fire_due()
            except StoreUnavailable as error:
                log.warning("timers wait for the database: %s", error)
                busy = False
                await asyncio.sleep(LOOK_AGAIN)
            if not busy:
                await self._clock.until(now + timedelta(seconds=LOOK_AGAIN))

    async def fire_due(self) -> bool:
        """Fire what is due now, a handful at a time; true if there may be more."""
        at = self._clock.now()

        async def job(tx: Tx) -> list[tuple[str, str]]:
            due = await tx.rows(
                TAKE + tx.skip_locked + ") RETURNING kind, subject",
                {"now": at.timestamp(), "most": AT_ONCE},
            )
            for row in due:
                handle = self._kinds.get(row["kind"])
                if handle:
                    await handle(tx, row["subject"], at)
            return [(row["kind"], row["subject"]) for row in due]

        fired = await self._store.write(job)
        for kind, subject in fired:
            self._fired(kind, subject)
        return len(fired) == AT_ONCE
