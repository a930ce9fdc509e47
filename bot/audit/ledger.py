"""The audit log: append-only, each entry bound to the one before it by a keyed hash."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from pydantic import JsonValue

from bot import canonical
from bot.logs import Mask
from bot.store import Row, Store, Tx

FIRST = "0" * 64
_END = "SELECT seq, mac FROM audit_head WHERE id = 1 "


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, to what, from where. `actor` is such as `operator:ID`, `key:ID`, `cli`, `system`."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str = ""
    place: str = ""
    on_behalf: str = ""
    detail: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What the log says of its own end. `sealed`: it was written by us."""

    seq: int
    mac: str
    sealed: bool = True


@dataclass(frozen=True, slots=True)
class Chain:
    """The log as it stands: how many entries from the first on are whole, and what binds the last of them.

    `broken`: something comes after them that is not as it was written. `spot` binds the entry that was asked for.
    """

    count: int
    last: str
    head: Head | None = None
    spot: str = ""
    broken: bool = False


class Ledger:
    """Writes and reads the log. `keys` are derived for it alone, newest first; older ones still verify."""

    def __init__(self, store: Store, keys: Sequence[bytes], mask: Mask | None = None) -> None:
        self._store = store
        self._keys = tuple(keys)
        self._mask = mask or Mask()

    async def record(
        self,
        tx: Tx,
        at: datetime,
        actor: str,
        action: str,
        subject: str = "",
        place: str = "",
        detail: Mapping[str, JsonValue] | None = None,
        on_behalf: str = "",
    ) -> None:
        """Append inside the caller's transaction. On PostgreSQL the head's row keeps replicas in order."""
        head = await self._head(tx)
        row = {
            "seq": int(head["seq"]) + 1,
            "at": at.timestamp(),
            "actor": _line(actor, 200),
            "on_behalf": _line(on_behalf, 200),
            "action": _line(action, 80),
            "subject": _line(subject, 300),
            "place": _line(place, 200),
            "detail": json.dumps(self._mask.value(detail or {}), ensure_ascii=True, sort_keys=True),
        }
        mac = _mac(row, head["mac"], self._keys[0])
        await tx.run(
            "INSERT INTO audit (seq, at, actor, on_behalf, action, subject, place, detail, mac) "
            "VALUES (:seq, :at, :actor, :on_behalf, :action, :subject, :place, :detail, :mac)",
            row | {"mac": mac},
        )
        seal = _seal(int(head["seq"]) + 1, mac, self._keys[0])
        await tx.run(
            "UPDATE audit_head SET seq = :seq, mac = :mac, seal = :seal WHERE id = 1",
            {"seq": row["seq"], "mac": mac, "seal": seal},
        )

    async def queue_up(self, tx: Tx) -> None:
        """Take one's turn before anything else is locked: replicas that lock in one order never wait crosswise."""
        await self._head(tx)

    async def write(
        self,
        at: datetime,
        actor: str,
        action: str,
        subject: str = "",
        place: str = "",
        detail: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Append in a transaction of its own, for what changes nothing else (a refused click, a failed login)."""
        await self._store.write(lambda tx: self.record(tx, at, actor, action, subject, place, detail))

    async def list(self, *, limit: int = 50, before: int | None = None, subject: str = "") -> list[Entry]:
        """The newest entries first; `before` is the seq to go on from."""

        async def job(tx: Tx) -> list[Row]:
            return await tx.rows(
                "SELECT * FROM audit WHERE seq < :before AND (:subject = '' OR subject = :subject) "
                "ORDER BY seq DESC LIMIT :limit",
                {"before": 2**31 - 1 if before is None else before, "subject": subject, "limit": limit},
            )

        return [_entry(row) for row in await self._store.read(job)]

    async def look(self, spot: int = 0) -> Chain:
        """Read the whole log. A server may write to it meanwhile."""
        chain, before = Chain(0, FIRST, spot="" if spot else FIRST), -1
        head = None
        # Entries are read before their end, so what is missing behind them may have come in between.
        while not chain.broken and chain.count > before and (head is None or head.seq > chain.count):
            before, chain = chain.count, await self._further(chain, spot)
            head = await self.head()
        before_all = await self._store.read(lambda tx: tx.row("SELECT seq FROM audit WHERE seq < 1 LIMIT 1"))
        if before_all and not chain.broken:
            return Chain(0, FIRST, broken=True)
        return replace(chain, head=head)

    async def _further(self, chain: Chain, spot: int) -> Chain:
        """The chain, with every entry that stands behind it."""
        while rows := await self._store.read(partial(_page, start=chain.count + 1)):
            for row in rows:
                if row["seq"] != chain.count + 1 or not self._fits(row, chain.last):
                    return replace(chain, broken=True)
                chain = Chain(row["seq"], row["mac"], spot=row["mac"] if row["seq"] == spot else chain.spot)
        return chain

    async def head(self) -> Head | None:
        """What the log says of its own end."""
        row = await self._store.read(lambda tx: tx.row("SELECT seq, mac, seal FROM audit_head WHERE id = 1"))
        if row is None:
            return None
        is_sealed = any(hmac.compare_digest(row["seal"], _seal(row["seq"], row["mac"], key)) for key in self._keys)
        return Head(row["seq"], row["mac"], is_sealed)

    async def bound(self, seq: int) -> str:
        """What binds the entry of this number, "" where there is none."""
        if seq == 0:
            return FIRST
        row = await self._store.read(lambda tx: tx.row("SELECT mac FROM audit WHERE seq = :seq", {"seq": seq}))
        return str(row["mac"]) if row else ""

    def _fits(self, row: Row, previous: str) -> bool:
        return any(hmac.compare_digest(row["mac"], _mac(row, previous, key)) for key in self._keys)

    async def _head(self, tx: Tx) -> Row:
        head = await tx.row(_END + tx.for_update)
        if head is None:
            await tx.run(
                "INSERT INTO audit_head (id, seq, mac, seal) VALUES (1, 0, :mac, :seal) ON CONFLICT (id) DO NOTHING",
                {"mac": FIRST, "seal": _seal(0, FIRST, self._keys[0])},
            )
            head = await tx.row(_END + tx.for_update)
        assert head is not None  # it was put there one line above
        return head


async def _page(tx: Tx, start: int) -> list[Row]:
    return await tx.rows("SELECT * FROM audit WHERE seq >= :start ORDER BY seq LIMIT 1000", {"start": start})


def _mac(row: Mapping[str, object], previous: str, key: bytes) -> str:
    names = ("seq", "at", "actor", "on_behalf", "action", "subject", "place", "detail")
    said = canonical.dumps([previous, *(repr(row[name]) for name in names)])
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def _seal(seq: int, mac: str, key: bytes) -> str:
    return hmac.new(key, f"head:{seq}:{mac}".encode(), hashlib.sha256).hexdigest()


def _line(text: str, limit: int) -> str:
    """Text as a column takes it: one line, no control characters (PostgreSQL refuses NUL), cut to fit."""
    return "".join(each if each.isprintable() else " " for each in text)[:limit]


def _entry(row: Row) -> Entry:
    return Entry(
        seq=row["seq"],
        at=datetime.fromtimestamp(row["at"], UTC),
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        place=row["place"],
        on_behalf=row["on_behalf"],
        detail=json.loads(row["detail"]),
    )
