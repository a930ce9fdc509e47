"""What has to happen at a time: rows, so that nothing is forgotten while nobody runs; each fires once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.steady import forever
from bot.store import Row, Store, StoreUnavailable, Tx

log = logging.getLogger(__name__)

Due = Callable[[Tx, str, datetime], Awaitable[None]]
LOOK_AGAIN = 1.0
AT_ONCE = 50
TAKE = "SELECT id FROM timer WHERE id = :id "
SET_ASIDE = 600.0  # seconds for which a timer that fails is left alone, so that those behind it fire


class Timers:
    """Fires due timers: `kinds` says what each kind does, inside of the transaction that takes the timer away.

    A kind that is not known here is left for a process of the version that knows it. `queue_up` takes a transaction's
    turn before anything is locked, so that whoever ends the same in another way never waits crosswise.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        kinds: Mapping[str, Due],
        fired: Callable[[str, str], None],
        queue_up: Callable[[Tx], Awaitable[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._kinds = kinds
        self._fired = fired
        self._queue_up = queue_up
        self._known = {f"kind{number}": kind for number, kind in enumerate(kinds)}

    async def run(self) -> None:
        """Fire until cancelled."""
        await forever("firing timers", self._fire_and_rest, longest=LOOK_AGAIN)

    async def _fire_and_rest(self) -> None:
        now = self._clock.now()
        if not await self.fire_due():
            await self._clock.until(now + timedelta(seconds=LOOK_AGAIN))

    async def fire_due(self) -> bool:
        """Fire what is due now, a handful at a time; true if there may be more."""
        at = self._clock.now()
        due = await self._store.read(lambda tx: self._due(tx, at))
        await asyncio.gather(*(self._fire(timer, at) for timer in due))
        return len(due) == AT_ONCE

    async def _due(self, tx: Tx, at: datetime) -> list[Row]:
        names = ", ".join(f":{name}" for name in self._known)
        return await tx.rows(
            f"SELECT id, kind, subject FROM timer WHERE due_at <= :now AND kind IN ({names})"  # noqa: S608 - our own names
            " ORDER BY due_at LIMIT :most",
            {"now": at.timestamp(), "most": AT_ONCE, **self._known},
        )

    async def _fire(self, timer: Row, at: datetime) -> None:
        async def job(tx: Tx) -> bool:
            await self._queue_up(tx)
            if not await tx.rows(TAKE + tx.skip_locked, {"id": timer["id"]}):
                return False  # another replica has it
            await tx.run("DELETE FROM timer WHERE id = :id", {"id": timer["id"]})
            await self._kinds[timer["kind"]](tx, timer["subject"], at)
            return True

        try:
            if await self._store.write(job):
                self._fired(timer["kind"], timer["subject"])
        except StoreUnavailable:
            raise
        except Exception:  # a timer that cannot fire must not keep the others from it
            log.exception("a timer failed and is set aside", extra={"kind": timer["kind"], "subject": timer["subject"]})
            later = {"id": timer["id"], "due": at.timestamp() + SET_ASIDE}
            await self._store.write(lambda tx: tx.run("UPDATE timer SET due_at = :due WHERE id = :id", later))
