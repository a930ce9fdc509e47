"""The thresholds that are set: rows, each change in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.audit.ledger import Ledger
from bot.dispatch.notice import Conflict, Unfit, Unknown
from bot.ids import new_id
from bot.store import Row, Store, Tx
from bot.thresholds.threshold import PERIODS, Threshold

MOST = 500
LONGEST = 300  # characters of a user, a tool, a room
HIGHEST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to set."""

    user: str = ""
    tool: str = ""
    window: str = "1h"
    limit: int = 0
    room: str = ""
    on: bool = True


class Thresholds:
    """`by` is the audit log's actor."""

    def __init__(self, store: Store, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._store = store
        self._ledger = ledger
        self._now = now

    async def list(self) -> list[Threshold]:
        """In the order in which they count: the first that is on and fits decides."""
        rows = await self._store.read(lambda tx: tx.rows("SELECT * FROM threshold"))
        return sorted(map(_threshold, rows), key=lambda each: each.order)

    async def get(self, id_: str) -> Threshold:
        """Raises Unknown."""
        return await self._store.read(lambda tx: _known(tx, id_))

    async def add(self, draft: Draft, *, by: str) -> Threshold:
        """Raises Unfit, Conflict."""
        at = self._now()
        new = _made(new_id(at), draft)
        sql = (
            "INSERT INTO threshold (id, user_name, tool, time_window, call_limit, room, is_on)"
            " VALUES (:id, :user, :tool, :window, :limit, :room, :on)"
            " ON CONFLICT (user_name, tool, time_window) DO NOTHING"
        )

        async def job(tx: Tx) -> None:
            held = await tx.row("SELECT COUNT(*) AS count FROM threshold")
            if held and held["count"] >= MOST:
                raise Unfit(f"there are {MOST} thresholds already; remove one first", "limit")
            if not await tx.run(sql, _values(new)):
                raise Conflict(_twice(new), "user")
            await self._ledger.record(tx, at, by, "threshold.added", new.id, detail=_detail(new))

        await self._store.write(job)
        return new

    async def change(self, id_: str, draft: Draft, *, by: str) -> Threshold:
        """Raises Unknown, Unfit, Conflict."""
        at, changed = self._now(), _made(id_, draft)
        same = (
            "SELECT id FROM threshold WHERE user_name = :user AND tool = :tool AND time_window = :window AND id <> :id"
        )
        sql = (
            "UPDATE threshold SET user_name = :user, tool = :tool, time_window = :window, call_limit = :limit,"
            " room = :room, is_on = :on WHERE id = :id"
        )

        async def job(tx: Tx) -> None:
            await _known(tx, id_)
            key = {name: _values(changed)[name] for name in ("user", "tool", "window", "id")}
            if await tx.row(same, key):
                raise Conflict(_twice(changed), "user")
            await tx.run(sql, _values(changed))
            await self._ledger.record(tx, at, by, "threshold.changed", id_, detail=_detail(changed))

        await self._store.write(job)
        return changed

    async def remove(self, id_: str, *, by: str) -> Threshold:
        """Raises Unknown."""
        at = self._now()

        async def job(tx: Tx) -> Threshold:
            known = await _known(tx, id_)
            await tx.run("DELETE FROM threshold WHERE id = :id", {"id": id_})
            await self._ledger.record(tx, at, by, "threshold.removed", id_, detail=_detail(known))
            return known

        return await self._store.write(job)


async def _known(tx: Tx, id_: str) -> Threshold:
    row = await tx.row("SELECT * FROM threshold WHERE id = :id", {"id": id_})
    if row is None:
        raise Unknown(f"there is no threshold {id_}", "id")
    return _threshold(row)


def _made(id_: str, draft: Draft) -> Threshold:
    """Users are compared like addresses, tools by their exact name. Raises Unfit."""
    if draft.window not in PERIODS:
        raise Unfit(f"the window is one of {', '.join(PERIODS)}", "window")
    if not 1 <= draft.limit <= HIGHEST:
        raise Unfit(f"the limit is a whole number from 1 to {HIGHEST:,}", "limit")
    user, tool, room = (
        _line(text, name) for text, name in ((draft.user, "user"), (draft.tool, "tool"), (draft.room, "room"))
    )
    return Threshold(id_, user.casefold(), tool, draft.window, draft.limit, room, draft.on)


def _line(text: str, name: str) -> str:
    text = text.strip()
    if len(text) > LONGEST or not text.isprintable():
        raise Unfit(f"the {name} is one line of at most {LONGEST} characters", name)
    return text


def _twice(found: Threshold) -> str:
    return f"there is a threshold per {PERIODS[found.window]} for {found.whom} already; change that one"


def _values(found: Threshold) -> dict[str, Any]:
    return {
        "id": found.id,
        "user": found.user,
        "tool": found.tool,
        "window": found.window,
        "limit": found.limit,
        "room": found.room,
        "on": int(found.on),
    }


def _detail(found: Threshold) -> dict[str, Any]:
    return {name: value for name, value in _values(found).items() if name != "id"}


def _threshold(row: Row) -> Threshold:
    return Threshold(
        id=row["id"],
        user=row["user_name"],
        tool=row["tool"],
        window=row["time_window"],
        limit=row["call_limit"],
        room=row["room"],
        on=bool(row["is_on"]),
    )
