"""What is over for long goes: posts with their copies and attempts, the questions and events behind them.

A thread ends with the last of its posts, and then no channel remembers where it stood.
Whatever is still open stays, however old it is; and so does the audit log.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.channels.contract import OF_THREAD
from bot.clock import Clock
from bot.dispatch.questions import Ledger
from bot.steady import forever
from bot.store import DOUBLE, TEXT, Bulk, Store, Tx, Write

EVERY = timedelta(hours=1)
AT_ONCE = 500  # posts in one transaction, so that nobody waits long behind it

OVER = (
    "SELECT p.ref FROM post p WHERE p.created_at < :before AND p.changed_at < :before"
    " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.ref = p.ref AND d.state = 'open')"
    " AND NOT EXISTS (SELECT 1 FROM interaction i WHERE i.id = p.interaction_id AND i.status = 'pending')"
    " ORDER BY p.created_at LIMIT :most"
)
# COALESCE keeps SQLite from the index over `ref`: by that it would look at everything that nobody was ever told of.
UNTOLD = (
    "DELETE FROM event WHERE id IN"
    " (SELECT id FROM event WHERE COALESCE(ref, '') = '' AND received_at < :before ORDER BY received_at LIMIT :most)"
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
REMEMBERED = (
    "SELECT key FROM channel_memory WHERE key > :after AND key LIKE :of_thread AND at < :before"
    " ORDER BY key LIMIT :most"
)
KEPT_THREADS = Bulk(
    "SELECT r.thread AS id FROM {rows}"
    " WHERE EXISTS (SELECT 1 FROM post p WHERE p.thread = r.thread AND p.thread <> '')",
    {"thread": TEXT},
    returning=True,
)
FORGOTTEN = Bulk(
    "DELETE FROM channel_memory WHERE key IN"
    " (SELECT r.key FROM {rows} JOIN channel_memory m ON m.key = r.key WHERE m.at < r.before)",
    {"key": TEXT, "before": DOUBLE},
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
        await self._forget_threads(before)
        if removed:
            detail = {"count": removed, "older_than_days": days}
            await self._store.write(
                lambda tx: self._ledger.record(tx, at, "retention", "records.removed", "", "", detail)
            )
        return removed

    async def _forget_threads(self, before: datetime) -> None:
        """Looked for beside the writer, which takes long where there are many posts."""
        after, more = "", True
        while more:
            begun = await self._store.read(partial(_begun, before=before, after=after))
            ended = await self._store.read(partial(_ended, keys=begun))
            if ended:
                rows = [(key, before.timestamp()) for key in ended]
                await self._store.put(Write(FORGOTTEN, rows))
            after, more = begun[-1] if begun else "", len(begun) == AT_ONCE


async def _remove(tx: Tx, before: datetime) -> tuple[int, int]:
    """How many posts, and how many events that nobody was told of."""
    old = {"before": before.timestamp(), "most": AT_ONCE}
    refs = [(row["ref"],) for row in await tx.rows(OVER, old)]
    for bulk in OF_POSTS if refs else ():
        await tx.bulk(bulk, refs)
    return len(refs), await tx.run(UNTOLD, old)


async def _begun(tx: Tx, before: datetime, after: str) -> list[str]:
    """Under which keys channels remember the threads that began before, some at once."""
    asked = {"after": after, "of_thread": f"%:{OF_THREAD}%", "before": before.timestamp(), "most": AT_ONCE}
    return [row["key"] for row in await tx.rows(REMEMBERED, asked)]


async def _ended(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Those of which no post is left. A place and a thread may hold colons: one that may be meant is one that is."""
    meant = {key: _threads_meant(key) for key in keys}
    asked = sorted({(thread,) for threads in meant.values() for thread in threads})
    left = {row["id"] for row in await tx.bulk(KEPT_THREADS, asked)}
    return [key for key, threads in meant.items() if left.isdisjoint(threads)]


def _threads_meant(key: str) -> list[str]:
    """Every thread that the key of a place and a thread may end with."""
    words = key.partition(f":{OF_THREAD}")[2].split(":")
    return [":".join(words[first:]) for first in range(1, len(words))]
