"""Who is signed in: sessions, links that sign somebody in once, and how often one may try.

The secrets themselves are in the browser and in the link alone; the database holds their hashes.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import JsonValue

from bot.audit.ledger import Ledger
from bot.ids import new_id
from bot.operators import actor_by_id, first_admin
from bot.store import Row, Store, Tx
from bot.tries import MemoryTries, Tries
from interactions.model import Actor, Role

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
LINK_LIVES = timedelta(minutes=15)
SETUP_LIVES = timedelta(hours=24)
SEEN_EVERY = 60.0  # seconds: a visit is written down no more often
ASKS_FOR_ONE = 5  # links for one e-mail address in the window of tries
ASKS_FROM_ONE = 30  # tries from one network address in it; a whole office may share one
REFUSALS_NOTED = 10  # links that led nowhere, from one network address in it, that are each written down

RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `session` is the id of the session's row, not the secret in the cookie."""

    operator: Actor
    session: str

    def may(self, role: Role) -> bool:
        return RANK[self.operator.role] >= RANK[role]


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that somebody is signed in on."""

    id: str
    operator_id: str
    created_at: datetime
    seen_at: datetime
    until: datetime
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in from. `secret` is what this browser was given when it asked for a link."""

    secret: str = ""
    agent: str = ""
    address: str = ""


class Purpose(StrEnum):
    SIGN_IN = "sign_in"
    SETUP = "setup"


class LinkState(StrEnum):
    """How a link stands for the browser that it was opened in."""

    GOOD = "good"
    ELSEWHERE = "elsewhere"  # another browser asked for it
    USED = "used"
    OVER = "over"  # too old, or never one of ours


class Access:
    """Sessions and links. Everything that changes them is audited in the same transaction."""

    def __init__(self, store: Store, ledger: Ledger, now: Callable[[], datetime], tries: Tries | None = None) -> None:
        self._store = store
        self._ledger = ledger
        self._now = now
        self._tries = tries or MemoryTries()

    # ---- sessions ----------------------------------------------------------------------------------------------------

    async def visitor(self, cookie: str) -> Visitor | None:
        """Who this cookie belongs to now; None for one that is unknown, too old, revoked, or of somebody removed."""
        if not cookie:
            return None
        at = self._now()

        async def job(tx: Tx) -> tuple[Row, Actor] | None:
            row = await tx.row("SELECT * FROM session WHERE hash = :hash", {"hash": hash_of(cookie)})
            operator = await actor_by_id(tx, row["operator_id"]) if row else None
            return (row, operator) if row and operator and operator.active and _lives(row, at) else None

        found = await self._store.read(job)
        if found is None:
            return None
        row, operator = found
        if at.timestamp() - row["seen_at"] >= SEEN_EVERY:
            values = {"id": row["id"], "at": at.timestamp()}
            await self._store.write(lambda tx: tx.run("UPDATE session SET seen_at = :at WHERE id = :id", values))
        return Visitor(operator, row["id"])

    async def open(self, operator: Actor, browser: Browser) -> str:
        """Sign somebody in; returns the cookie's secret."""
        at = self._now()
        secret = secrets.token_urlsafe(32)
        await self._store.write(lambda tx: self._open(tx, operator, browser, secret, at))
        return secret

    async def sessions(self, operator_id: str = "") -> list[Session]:
        """The living ones of one operator, or of everybody; the last seen first."""
        at = self._now()
        sql = "SELECT * FROM session WHERE (:id = '' OR operator_id = :id) ORDER BY seen_at DESC, id"
        rows = await self._store.read(lambda tx: tx.rows(sql, {"id": operator_id}))
        return [_session(row) for row in rows if _lives(row, at)]

    async def end(self, session_id: str, operator_id: str, *, by: str, action: str = "session.revoked") -> bool:
        """Sign out one browser of this operator; false where there is no such session."""
        at = self._now()
        values = {"id": session_id, "operator": operator_id}

        async def job(tx: Tx) -> bool:
            gone = await tx.run("DELETE FROM session WHERE id = :id AND operator_id = :operator", values)
            if gone:
                operator = await actor_by_id(tx, operator_id)
                await self._ledger.record(tx, at, by, action, operator.email if operator else operator_id)
            return gone > 0

        return await self._store.write(job)

    async def end_all(self, operator_id: str, *, by: str, but: str = "") -> int:
        """Sign out every browser of this operator, except the session `but`; how many there were."""
        at = self._now()
        values = {"operator": operator_id, "but": but}

        async def job(tx: Tx) -> int:
            gone = await tx.run("DELETE FROM session WHERE operator_id = :operator AND id <> :but", values)
            operator = await actor_by_id(tx, operator_id)
            if gone and operator:
                await self._ledger.record(tx, at, by, "session.revoked", operator.email, detail={"sessions": gone})
            return gone

        return await self._store.write(job)

    async def _open(self, tx: Tx, operator: Actor, browser: Browser, secret: str, at: datetime) -> None:
        await tx.run("DELETE FROM session WHERE until < :at", {"at": at.timestamp()})
        await tx.run(
            "INSERT INTO session (id, hash, operator_id, created_at, seen_at, until, agent, address)"
            " VALUES (:id, :hash, :operator, :at, :at, :until, :agent, :address)",
            {
                "id": new_id(at),
                "hash": hash_of(secret),
                "operator": operator.id,
                "at": at.timestamp(),
                "until": (at + LONGEST).timestamp(),
                "agent": _line(browser.agent),
                "address": _line(browser.address),
            },
        )
        await self._ledger.record(
            tx, at, f"operator:{operator.id}", "session.opened", operator.email, browser.address, _seen(browser)
        )

    # ---- links -------------------------------------------------------------------------------------------------------

    async def link(self, operator_id: str | None, purpose: Purpose, lives: timedelta, browser: str = "") -> str:
        """A new link's secret; with `browser`, it is good only for whoever holds that secret too."""
        at = self._now()
        secret = secrets.token_urlsafe(32)
        values = {
            "hash": hash_of(secret),
            "operator": operator_id,
            "purpose": str(purpose),
            "browser": hash_of(browser) if browser else "",
            "at": at.timestamp(),
            "until": (at + lives).timestamp(),
        }

        async def job(tx: Tx) -> None:
            await tx.run("DELETE FROM login_link WHERE until < :day_ago", {"day_ago": at.timestamp() - 86400})
            await tx.run(
                "INSERT INTO login_link (hash, operator_id, purpose, browser, created_at, until)"
                " VALUES (:hash, :operator, :purpose, :browser, :at, :until)",
                values,
            )

        await self._store.write(job)
        return secret

    async def setup_link(self) -> str | None:
        """The secret of a link that makes whoever opens it the first admin; None once there is one."""
        if await self._store.read(first_admin):
            return None
        return await self.link(None, Purpose.SETUP, SETUP_LIVES)

    async def state(self, secret: str, purpose: Purpose, browser: str = "") -> LinkState:
        """Looking changes nothing."""
        at = self._now()
        return await self._store.read(lambda tx: _state(tx, secret, purpose, browser, at))

    async def use(self, secret: str, browser: Browser) -> str | LinkState:
        """Sign in with a link: the cookie's secret, or why not. Of two who try at once, one gets in."""
        at = self._now()
        cookie = secrets.token_urlsafe(32)

        async def job(tx: Tx) -> str | LinkState:
            state = await _claim(tx, secret, Purpose.SIGN_IN, browser.secret, at)
            if state is not LinkState.GOOD:
                return state
            row = await tx.row("SELECT operator_id FROM login_link WHERE hash = :hash", {"hash": hash_of(secret)})
            operator = await actor_by_id(tx, row["operator_id"]) if row and row["operator_id"] else None
            if operator is None or not operator.active:
                return LinkState.OVER
            await self._open(tx, operator, browser, cookie, at)
            return cookie

        got = await self._store.write(job)
        if isinstance(got, LinkState):
            await self._refused(got, browser, at)
        return got

    async def claim(self, secret: str, purpose: Purpose, browser: Browser) -> LinkState:
        """Use a link up for something else than signing in."""
        at = self._now()
        state = await self._store.write(lambda tx: _claim(tx, secret, purpose, browser.secret, at))
        if state is not LinkState.GOOD:
            await self._refused(state, browser, at)
        return state

    async def _refused(self, state: LinkState, browser: Browser, at: datetime) -> None:
        """Each of the first few is written down, then once that there are more: nobody fills the log."""
        tried = await self._tries.count(f"refused {browser.address}", at)
        if tried.times <= REFUSALS_NOTED + 1:
            why = f"link {state}" if tried.times <= REFUSALS_NOTED else "links that lead nowhere, again and again"
            detail: dict[str, JsonValue] = {"why": why, **_seen(browser)}
            await self._ledger.write(at, "nobody", "session.refused", "", browser.address, detail)

    # ---- how often ---------------------------------------------------------------------------------------------------

    async def tried(self, address: str, email: str) -> float | None:
        """Count a try. The seconds to wait where there were too many, else None. The same for people we do not know.

        Who has tried too often counts against no e-mail address any more.
        """
        at = self._now()
        for name, most in ((f"from {address}", ASKS_FROM_ONE), (f"for {email}", ASKS_FOR_ONE)):
            tried = await self._tries.count(name, at)
            if tried.times == most + 1:  # the first one alone: nobody fills the log
                await self._ledger.write(at, "nobody", "session.refused", email, address, {"why": "asked too often"})
            if tried.times > most:
                return tried.wait(at)
        return None


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


async def _claim(tx: Tx, secret: str, purpose: Purpose, browser: str, at: datetime) -> LinkState:
    state = await _state(tx, secret, purpose, browser, at)
    if state is not LinkState.GOOD:
        return state
    values = {"hash": hash_of(secret), "at": at.timestamp()}
    sql = "UPDATE login_link SET used_at = :at WHERE hash = :hash AND used_at IS NULL"
    return LinkState.GOOD if await tx.run(sql, values) else LinkState.USED


async def _state(tx: Tx, secret: str, purpose: Purpose, browser: str, at: datetime) -> LinkState:
    row = await tx.row("SELECT * FROM login_link WHERE hash = :hash", {"hash": hash_of(secret)})
    if row is None or row["purpose"] != purpose or row["until"] <= at.timestamp():
        return LinkState.OVER
    if row["used_at"] is not None:
        return LinkState.USED
    if row["browser"] and not secrets.compare_digest(row["browser"], hash_of(browser)):
        return LinkState.ELSEWHERE
    return LinkState.GOOD


def _lives(row: Row, at: datetime) -> bool:
    now = at.timestamp()
    return bool(now < row["until"] and now - row["seen_at"] < IDLE.total_seconds())


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        operator_id=row["operator_id"],
        created_at=_moment(row["created_at"]),
        seen_at=_moment(row["seen_at"]),
        until=_moment(row["until"]),
        agent=row["agent"],
        address=row["address"],
    )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _seen(browser: Browser) -> dict[str, JsonValue]:
    return {"browser": _line(browser.agent)}


def _line(text: str) -> str:
    """What a browser says of itself, as a column takes it."""
    return "".join(each if each.isprintable() else " " for each in text)[:200]
