"""What is over for long goes: posts with their copies and attempts, the questions and events behind them.

Whatever is still open stays, however old it is; and so does the audit log.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.dispatch.questions import Ledger
from bot.steady import forever
from bot.store import TEXT, Bulk, Store, Tx

EVERY = timedelta(hours=1)
AT_ONCE = 500  # posts in one transaction, so that nobody waits long behind it

OVER = (
    "SELECT p.ref FROM post p WHERE p.created_at < :before AND p.changed_at < :before"
    " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.ref = p.ref AND d.state = 'open')"
    " AND NOT EXISTS (SELECT 1 FROM interaction i WHERE i.id = p.interaction_id AND i.status = 'pending')"
    " ORDER BY p.created_at LIMIT :most"
)
UNTOLD = (
    "DELETE FROM event WHERE id IN"
    " (SELECT id FROM event WHERE ref = '' AND received_at < :before ORDER BY received_at LIMIT :most)"
)
OF_POSTS = tuple(
    Bulk(sql, {"ref": TEXT})
    for sql in (
        "DELETE FROM attempt WHERE delivery_id IN (SELECT d.id FROM delivery d JOIN {rows} ON d.ref = r.ref)",
        "DELETE FROM delivery WHERE ref IN (SELECT r.ref FROM {rows})",
        "DELETE FROM event WHERE ref IN (SELECT r.ref FROM {rows})",
        "DELETE FROM interaction WHERE ref IN (SELECT r.ref FROM {rows})",
        "DELETE FROM post WHERE ref IN (SELECT r.ref FROM {rows})",
    )
)


class Retention:
    """`days` is for how long what is over is kept; 0 keeps everything."""

    def __init__(self, store: Store, clock: Clock, ledger: Ledger, days: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._ledger = ledger
        self._days = days

    async def run(self) -> None:
        """Look every hour, until cancelled."""
        await forever("removing what is over for long", self._sweep_and_rest, longest=EVERY.total_seconds())

    async def _sweep_and_rest(self) -> None:
        await self.sweep()
        await self._clock.until(self._clock.now() + EVERY)

    async def sweep(self) -> int:
        """Remove what is over for long; how many posts and events that nobody was told of that was."""
        days = self._days()
        if not days:
            return 0
        at = self._clock.now()
        before, removed, more = at - timedelta(days=days), 0, True
        while more:
            posts, events = await self._store.write(lambda tx: _remove(tx, before))
            removed += posts + events
            more = AT_ONCE in {posts, events}
        if removed:
            detail = {"count": removed, "older_than_days": days}
            await self._store.write(
                lambda tx: self._ledger.record(tx, at, "retention", "records.removed", "", "", detail)
            )
        return removed


async def _remove(tx: Tx, before: datetime) -> tuple[int, int]:
    """How many posts, and how many events that nobody was told of."""
    old = {"before": before.timestamp(), "most": AT_ONCE}
    refs = [(row["ref"],) for row in await tx.rows(OVER, old)]
    for bulk in OF_POSTS if refs else ():
        await tx.bulk(bulk, refs)
    return len(refs), await tx.run(UNTOLD, old)
