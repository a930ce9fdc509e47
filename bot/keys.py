"""API keys: shown once, stored as a hash, with scopes; checked without a read where one was made seconds ago."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from bot.audit.ledger import Ledger
from bot.dispatch.notice import Unfit, Unknown
from bot.ids import new_id
from bot.store import Row, Store, StoreUnavailable, Tx
from bot.tries import MemoryTries

FRESH = 5.0  # seconds for which a checked key is believed: so long can a revoked one still be used on another replica
USED_EVERY = 60.0
GUESSES = 20  # wrong keys from one address in WINDOW seconds, before it hears 429
WINDOW = 60.0
NOTED_AT = 5  # wrong keys from one address in NOTED_FOR seconds, of which the audit log then has one entry
NOTED_FOR = 3600.0  # seconds in which one key without the scope, from one address, is one entry too
MOST_NOTED = 60  # entries of either kind in that time from all addresses, so that nobody fills the log
REMEMBERED = 10_000  # checked keys, so that memory stays bounded


class Scope(StrEnum):
    EVENTS_WRITE = "events:write"
    INTERACTIONS_WRITE = "interactions:write"
    INTERACTIONS_READ = "interactions:read"
    ALERTS_WRITE = "alerts:write"
    ALERTS_READ = "alerts:read"
    METRICS = "metrics"
    ADMIN = "admin"


MEANING = {
    Scope.EVENTS_WRITE: "tell events",
    Scope.INTERACTIONS_WRITE: "ask people, withdraw and consume its own requests",
    Scope.INTERACTIONS_READ: "see requests",
    Scope.METRICS: "read /metrics from elsewhere",
    Scope.ADMIN: "everything, people and keys too",
}  # what is offered for a new key: a scope that does nothing yet is not, though older keys may have it


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without the key. With an `operator_id` it may also act as this person."""

    id: str
    name: str
    scopes: frozenset[Scope]
    operator_id: str | None = None
    created_at: float = 0.0
    last_used_at: float | None = None
    revoked_at: float | None = None

    @property
    def actor(self) -> str:
        """The name that the audit log knows its caller by."""
        return f"operator:{self.operator_id}" if self.operator_id else f"key:{self.id}"

    def allows(self, *scopes: Scope) -> bool:
        """Whether one of the scopes is there; admin is all of them."""
        return not self.scopes.isdisjoint({*scopes, Scope.ADMIN})


@dataclass(frozen=True, slots=True)
class NewKey:
    """The only time that the key itself is seen."""

    id: str
    name: str
    key: str
    scopes: tuple[Scope, ...]


def not_noted(work: Coroutine[Any, Any, None]) -> None:
    """For whoever takes no keys from outside, as the command line."""
    work.close()


class Keys:
    """`beside` runs what no request waits for."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        now: Callable[[], datetime],
        beside: Callable[[Coroutine[Any, Any, None]], None] = not_noted,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._now = now
        self._checked: OrderedDict[str, tuple[ApiKey, float]] = OrderedDict()
        self._beside = beside
        self._guesses = MemoryTries(WINDOW)
        self._suspects = MemoryTries(NOTED_FOR)
        self._lacking = MemoryTries(NOTED_FOR)
        self._notes = MemoryTries(NOTED_FOR)

    async def create(self, name: str, scopes: Iterable[Scope], *, by: str, operator_id: str | None = None) -> NewKey:
        """Raises Unfit."""
        at, chosen = self._now(), tuple(sorted(set(scopes)))
        name = " ".join(name.split())
        if not name or len(name) > 200 or not name.isprintable():
            raise Unfit("a key needs a name of 1 to 200 printable characters", "name")
        if not chosen:
            raise Unfit(f"a key needs a scope: {', '.join(MEANING)}", "scopes")
        new = NewKey(new_id(at), name, f"gb_{secrets.token_urlsafe(32)}", chosen)

        async def job(tx: Tx) -> None:
            if operator_id:
                owner = "SELECT id FROM operator WHERE id = :id AND removed_at IS NULL"
                if await tx.row(owner, {"id": operator_id}) is None:
                    raise Unfit(f"there is no operator {operator_id}", "operator")
            values = {
                "id": new.id,
                "name": name,
                "hash": hash_of(new.key),
                "scopes": " ".join(chosen),
                "operator_id": operator_id,
                "at": at.timestamp(),
            }
            await tx.run(
                "INSERT INTO api_key (id, name, hash, scopes, operator_id, created_at) "
                "VALUES (:id, :name, :hash, :scopes, :operator_id, :at)",
                values,
            )
            await self._ledger.record(tx, at, by, "key.created", new.id, detail={"name": name, "scopes": list(chosen)})

        await self._store.write(job)
        return new

    async def list(self) -> list[ApiKey]:
        return [_key(row) for row in await self._store.read(lambda tx: tx.rows("SELECT * FROM api_key ORDER BY id"))]

    async def revoke(self, key_id: str, *, by: str) -> ApiKey:
        """By id, or else by a name that only one living key has. Raises Unknown."""
        at = self._now()
        sql = "SELECT * FROM api_key WHERE (id = :id OR name = :id) AND revoked_at IS NULL"

        async def job(tx: Tx) -> ApiKey:
            named = await tx.rows(sql, {"id": key_id})
            found = [row for row in named if row["id"] == key_id] or named
            if len(found) != 1:
                ids = " or ".join(row["id"] for row in found)
                several = f"{len(found)} keys are named {key_id}; give the id: {ids}"
                words = several if found else f"there is no key {key_id}"
                raise Unknown(words, "id")
            values = {"id": found[0]["id"], "at": at.timestamp()}
            await tx.run("UPDATE api_key SET revoked_at = :at WHERE id = :id", values)
            await self._ledger.record(tx, at, by, "key.revoked", found[0]["id"], detail={"name": found[0]["name"]})
            return _key({**found[0], "revoked_at": at.timestamp()})

        revoked = await self._store.write(job)
        self._checked.clear()
        return revoked

    async def verify(self, key: str) -> ApiKey | None:
        """The key as it counts now, or None. Raises StoreUnavailable."""
        if not key.startswith("gb_"):
            return None
        hashed, at = hash_of(key), self._now().timestamp()
        known = self._checked.get(hashed)
        if known and abs(at - known[1]) < FRESH:
            return known[0]
        sql = "SELECT * FROM api_key WHERE hash = :hash"
        row = await self._store.read(lambda tx: tx.row(sql, {"hash": hashed}))
        if row is None or not hmac.compare_digest(row["hash"], hashed) or row["revoked_at"] is not None:
            self._checked.pop(hashed, None)
            return None
        found = _key(row)
        self._checked[hashed] = (found, at)
        self._checked.move_to_end(hashed)
        while len(self._checked) > REMEMBERED:
            self._checked.popitem(last=False)
        if at - (found.last_used_at or 0) >= USED_EVERY:
            await self._used(found.id, at)
        return found

    def guessed(self, address: str) -> float | None:
        """Count a wrong key from an address. The seconds to wait where there were too many, else None.

        A right key is never refused for others' guesses: whoever shares an address with a guesser still gets through.
        """
        at = self._now()
        if self._suspects.counted(address, at).times == NOTED_AT:
            detail: dict[str, JsonValue] = {"why": "wrong keys again and again", "times": NOTED_AT}
            self._note(at, "nobody", "key.refused", address, detail)
        tried = self._guesses.counted(address, at)
        return tried.wait(at) if tried.times > GUESSES else None

    def lacks(self, key: ApiKey, scopes: Iterable[Scope], address: str) -> None:
        """Write down that somebody called with a right key what none of its scopes allows."""
        at, wanted = self._now(), " or ".join(scopes)
        if self._lacking.counted(f"{key.id} {wanted} {address}", at).times == 1:
            self._note(at, key.actor, "call.refused", address, {"why": f"the key lacks the scope {wanted}"})

    def _note(self, at: datetime, actor: str, action: str, address: str, detail: dict[str, JsonValue]) -> None:
        if self._notes.counted(action, at).times <= MOST_NOTED:
            self._beside(self._ledger.write(at, actor, action, address, "api", detail))

    async def _used(self, key_id: str, at: float) -> None:
        try:
            await self._store.write(
                lambda tx: tx.run("UPDATE api_key SET last_used_at = :at WHERE id = :id", {"id": key_id, "at": at})
            )
        except StoreUnavailable:
            return  # the request itself will say so where it matters


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"].split() if scope in set(Scope)),
        operator_id=row["operator_id"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
