"""The people we know. Who may do what is asked of fresh rows: somebody removed is refused at the next click."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.audit.ledger import Ledger
from bot.channels.contract import Person, Reader, ReaderKind
from bot.dispatch.notice import Conflict, Unfit, Unknown
from bot.ids import new_id
from bot.store import Row, Store, Tx
from interactions.model import Actor, Role


@dataclass(frozen=True, slots=True)
class Operator:
    """A person with everything that pages and the API show."""

    id: str
    email: str
    name: str
    role: Role
    created_at: float
    removed_at: float | None
    identities: tuple[tuple[str, str], ...] = ()

    @property
    def active(self) -> bool:
        return self.removed_at is None


# ---- inside somebody's transaction ----------------------------------------------------------------------------------


async def actor_by_id(tx: Tx, operator_id: str) -> Actor | None:
    return _actor(await tx.row("SELECT * FROM operator WHERE id = :id", {"id": operator_id}))


async def actor_by_email(tx: Tx, email: str) -> Actor | None:
    return _actor(await tx.row("SELECT * FROM operator WHERE email = :email", {"email": normal(email)}))


async def actor_by_identity(tx: Tx, platform: str, subject: str) -> Actor | None:
    return _actor(
        await tx.row(
            "SELECT operator.* FROM operator JOIN identity ON identity.operator_id = operator.id "
            "WHERE identity.platform = :platform AND identity.subject = :subject",
            {"platform": platform, "subject": subject},
        )
    )


async def recognise(tx: Tx, person: Person, at: datetime) -> Actor | None:
    """Who an edge's verified person is: by what the platform calls them, else by the address that it vouches for.

    A removed operator is returned too (`active` is false), so that the refusal can be audited under a name.
    """
    known = await actor_by_identity(tx, person.platform, person.subject)
    if known or not person.email:
        return known
    found = await actor_by_email(tx, person.email)
    if found and found.active:
        await link(tx, found.id, person.platform, person.subject, at)
    return found


async def link(tx: Tx, operator_id: str, platform: str, subject: str, at: datetime) -> None:
    """From now on this account there is this person here."""
    await tx.run(
        "INSERT INTO identity (platform, subject, operator_id, linked_at) VALUES (:platform, :subject, :id, :at) "
        "ON CONFLICT (platform, subject) "
        "DO UPDATE SET operator_id = excluded.operator_id, linked_at = excluded.linked_at",
        {"platform": platform, "subject": subject, "id": operator_id, "at": at.timestamp()},
    )


async def first_admin(tx: Tx) -> Actor | None:
    return _actor(
        await tx.row(
            "SELECT * FROM operator WHERE role = 'admin' AND removed_at IS NULL ORDER BY created_at, id LIMIT 1"
        )
    )


async def reader(tx: Tx, actor: Actor) -> Reader:
    """The person as channels know them. Of two accounts on one platform the one that was linked last counts."""
    rows = await tx.rows(
        "SELECT platform, subject FROM identity WHERE operator_id = :id ORDER BY linked_at", {"id": actor.id}
    )
    identities = {row["platform"]: row["subject"] for row in rows}
    return Reader(ReaderKind.OPERATOR, actor.id, actor.name, actor.email, identities=identities)


# ---- with transactions of its own ------------------------------------------------------------------------------------


Accounts = Callable[[str, str], Awaitable[str]]


async def as_written(platform: str, written: str) -> str:
    return written


class Operators:
    """Everything that changes people is audited in the same transaction. `by` is the audit log's actor.

    `accounts` gives what a platform calls an account in full, and raises Unfit where it has none like that.
    """

    def __init__(
        self, store: Store, ledger: Ledger, now: Callable[[], datetime], accounts: Accounts = as_written
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._now = now
        self._accounts = accounts

    async def add(self, email: str, name: str = "", role: Role = Role.OPERATOR, *, by: str) -> Operator:
        """A new person, or one that was removed and comes back. Raises Conflict, Unfit."""
        email, at = valid(email), self._now()
        name = _name(name) or email.partition("@")[0]
        values = {"id": new_id(at), "email": email, "name": name, "role": role.value, "at": at.timestamp()}

        async def job(tx: Tx) -> str:
            known = await actor_by_email(tx, email)
            if known and known.active:
                raise Conflict(f"{email} is an operator already", "email")
            if known:
                values["id"] = known.id
                await tx.run("UPDATE operator SET name = :name, role = :role, removed_at = NULL WHERE id = :id", values)
            else:
                sql = (
                    "INSERT INTO operator (id, email, name, role, created_at) VALUES (:id, :email, :name, :role, :at)"
                    " ON CONFLICT (email) DO NOTHING"
                )
                if not await tx.run(sql, values):  # a replica was quicker
                    raise Conflict(f"{email} is an operator already", "email")
            await self._ledger.record(tx, at, by, "operator.added", email, detail={"role": role.value, "name": name})
            return str(values["id"])

        return await self.get(await self._store.write(job))

    async def change(self, operator_id: str, *, name: str | None = None, role: Role | None = None, by: str) -> Operator:
        """Raises Unknown, and Conflict where nobody would be an admin any more."""
        at = self._now()

        async def job(tx: Tx) -> None:
            known = await self._known(tx, operator_id)
            if role not in (None, Role.ADMIN):
                await _keep_an_admin(tx, known)
            values = {"id": operator_id, "name": _name(name or "") or known.name, "role": (role or known.role).value}
            await tx.run("UPDATE operator SET name = :name, role = :role WHERE id = :id", values)
            detail = {"name": values["name"], "role": values["role"]}
            await self._ledger.record(tx, at, by, "operator.changed", known.email, detail=detail)

        await self._store.write(job)
        return await self.get(operator_id)

    async def remove(self, operator_id: str, *, by: str) -> None:
        """From now on this person decides nothing and is told nothing. Raises Unknown; Conflict for the last admin."""
        at = self._now()

        async def job(tx: Tx) -> None:
            known = await self._known(tx, operator_id)
            await _keep_an_admin(tx, known)
            await tx.run(
                "UPDATE operator SET removed_at = :at WHERE id = :id", {"id": operator_id, "at": at.timestamp()}
            )
            # Whoever comes back signs in again.
            await tx.run("DELETE FROM session WHERE operator_id = :id", {"id": operator_id})
            await tx.run("DELETE FROM login_link WHERE operator_id = :id", {"id": operator_id})
            await self._ledger.record(tx, at, by, "operator.removed", known.email)

        await self._store.write(job)

    async def link(self, operator_id: str, platform: str, account: str, *, by: str) -> str:
        """What the account is called in full. Raises Unknown, Unfit."""
        at, subject = self._now(), await self._accounts(platform, account)

        async def job(tx: Tx) -> None:
            known = await self._known(tx, operator_id)
            await link(tx, operator_id, platform, subject, at)
            detail = {"platform": platform, "account": subject}
            await self._ledger.record(tx, at, by, "operator.linked", known.email, detail=detail)

        await self._store.write(job)
        return subject

    async def unlink(self, operator_id: str, platform: str, subject: str, *, by: str) -> None:
        """This account there is nobody's here, until its owner is recognised by their address again. Raises Unknown."""
        at = self._now()
        values = {"id": operator_id, "platform": platform, "subject": subject}
        sql = "DELETE FROM identity WHERE platform = :platform AND subject = :subject AND operator_id = :id"

        async def job(tx: Tx) -> None:
            known = await self._known(tx, operator_id)
            if not await tx.run(sql, values):
                raise Unknown(f"{known.email} has no account {subject} in {platform}", "account")
            detail = {"platform": platform, "account": subject}
            await self._ledger.record(tx, at, by, "operator.unlinked", known.email, detail=detail)

        await self._store.write(job)

    async def get(self, operator_id: str) -> Operator:
        """Raises Unknown."""
        found = await self._store.read(lambda tx: tx.row("SELECT * FROM operator WHERE id = :id", {"id": operator_id}))
        if found is None:
            raise Unknown(f"there is no operator {operator_id}", "id")
        return (await self._whole([found]))[0]

    async def everybody(self, *, removed: bool = False) -> list[Operator]:
        rows = await self._store.read(lambda tx: tx.rows("SELECT * FROM operator ORDER BY created_at, id"))
        return await self._whole([row for row in rows if removed or row["removed_at"] is None])

    async def by_id(self, operator_id: str) -> Actor | None:
        return await self._store.read(lambda tx: actor_by_id(tx, operator_id))

    async def by_email(self, email: str) -> Actor | None:
        return await self._store.read(lambda tx: actor_by_email(tx, email))

    async def by_identity(self, platform: str, subject: str) -> Actor | None:
        return await self._store.read(lambda tx: actor_by_identity(tx, platform, subject))

    async def first_admin(self) -> Actor | None:
        return await self._store.read(first_admin)

    async def reader(self, actor: Actor) -> Reader:
        return await self._store.read(lambda tx: reader(tx, actor))

    async def _whole(self, rows: Iterable[Row]) -> list[Operator]:
        order = "SELECT * FROM identity ORDER BY linked_at"
        identities = await self._store.read(lambda tx: tx.rows(order))
        return [_operator(row, identities) for row in rows]

    async def _known(self, tx: Tx, operator_id: str) -> Actor:
        known = await actor_by_id(tx, operator_id)
        if known is None or not known.active:
            raise Unknown(f"there is no operator {operator_id}", "id")
        return known


async def _keep_an_admin(tx: Tx, operator: Actor) -> None:
    """Raises Conflict. The admins' rows are locked, so that of two who leave at once one stays."""
    sql = "SELECT id FROM operator WHERE role = 'admin' AND removed_at IS NULL ORDER BY id "
    if [row["id"] for row in await tx.rows(sql + tx.for_update)] == [operator.id]:
        raise Conflict(f"somebody has to be an admin, and {operator.email} is the only one; make another one first")


def normal(email: str) -> str:
    """An address as it is compared."""
    return email.strip().casefold()


def valid(email: str) -> str:
    """Raises Unfit."""
    email = normal(email)
    if len(email) > 254 or not re.fullmatch(
        r"[^@\s,;:<>()\[\]\\\"\x00-\x1f\x7f]+@[^@\s,;:<>()\\\"\x00-\x1f\x7f]+", email
    ):
        raise Unfit(f"{email[:80]!r} is not an e-mail address such as ana@example.com", "email")
    return email


def _name(name: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in name).split())[:200]


def _actor(row: Row | None) -> Actor | None:
    if row is None:
        return None
    return Actor(row["id"], row["name"], row["email"], Role(row["role"]), row["removed_at"] is None)


def _operator(row: Row, identities: Iterable[Row]) -> Operator:
    return Operator(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        created_at=row["created_at"],
        removed_at=row["removed_at"],
        identities=tuple(
            (each["platform"], each["subject"]) for each in identities if each["operator_id"] == row["id"]
        ),
    )
