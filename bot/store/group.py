"""What waits for one commit: jobs, and writes that share their statements."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.store.bulk import Bulk, Row, Value, Values, Write
from bot.store.store import Job, Tx


@dataclass(slots=True)
class Queued:
    """A job, or else writes. What came in its way may be gone by now where it is to be run `again`."""

    done: asyncio.Future[Any]
    job: Job[Any] | None = None
    writes: Sequence[Write] = ()
    result: Any = None
    error: BaseException | None = None
    tries: int = 0
    again: bool = False


async def run_together(tx: Tx, group: Sequence[Queued]) -> None:
    """Every job after the other, then each statement of the writes once, for the rows of all of them."""
    for queued in group:
        if queued.job:
            queued.result = await queued.job(tx)
    found = await _written(tx, _merged(queued.writes for queued in group))
    for queued in group:
        if queued.job is None:
            queued.result = _own(queued.writes, found)


def tell(queued: Queued) -> None:
    """Whoever waits learns what became of it."""
    if queued.done.cancelled():
        return
    if queued.error:
        queued.done.set_exception(queued.error)
    else:
        queued.done.set_result(queued.result)


def _merged(together: Iterable[Sequence[Write]]) -> dict[Bulk, list[Values]]:
    """The rows of each statement, the statements in the order in which they are met first."""
    rows: dict[Bulk, list[Values]] = {}
    for writes in together:
        for write in writes:
            rows.setdefault(write.bulk, []).extend(write.rows)
    return rows


async def _written(tx: Tx, rows: Mapping[Bulk, Sequence[Values]]) -> dict[Bulk, dict[Value, Row]]:
    """Everything that each statement gives back, by name."""
    return {bulk: {row["id"]: row for row in await tx.bulk(bulk, each)} for bulk, each in rows.items()}


def _own(writes: Sequence[Write], found: Mapping[Bulk, Mapping[Value, Row]]) -> list[Row]:
    own: list[Row] = []
    for write in writes:
        if write.bulk.returning:
            by_name = found[write.bulk]
            own += [by_name[row[0]] for row in write.rows if row[0] in by_name]
    return own
