"""The people as dispatch asks for them. Whoever clicks is looked up anew; who is to be told may be seconds old."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

from bot.audit.ledger import Ledger
from bot.channels.contract import Person, Reader
from bot.ids import new_id
from bot.operators import actor_by_email, actor_by_id, first_admin, normal, reader, recognise
from bot.store import Store, Tx
from interactions.model import Actor, Role

FRESH = 2.0  # seconds
T = TypeVar("T")


class _Lately(Generic[T]):
    """What was found in the last seconds."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, T]] = {}

    async def get(self, name: str, at: float, look: Callable[[], Awaitable[T | None]]) -> T | None:
        known = self._found.get(name)
        if known and abs(at - known[0]) < FRESH:
            return known[1]
        found = await look()
        if len(self._found) > 10_000:
            self._found.clear()
        if found is not None:
            self._found[name] = (at, found)
        return found

    def forget(self) -> None:
        self._found.clear()


class Directory:
    """`recipient_email` is ALERT_RECIPIENT_EMAIL as it is now, "" where it is not set."""

    def __init__(
        self, store: Store, ledger: Ledger, now: Callable[[], datetime], recipient_email: Callable[[], str]
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._now = now
        self._recipient_email = recipient_email
        self._readers: _Lately[Reader] = _Lately()
        self._recipients: _Lately[Actor] = _Lately()

    async def find(self, name: str) -> Actor | None:
        """An active operator by e-mail or id."""
        by = actor_by_email if "@" in name else actor_by_id
        return _active(await self._store.read(lambda tx: by(tx, name)))

    async def by_person(self, person: Person) -> Actor | None:
        """The active operator behind a verified identity, or behind an address that the platform vouches for."""
        at = self._now()
        return _active(await self._store.write(lambda tx: recognise(tx, person, at)))

    async def reader(self, operator_id: str) -> Reader | None:
        async def job(tx: Tx) -> Reader | None:
            actor = _active(await actor_by_id(tx, operator_id))
            return await reader(tx, actor) if actor else None

        return await self._readers.get(operator_id, self._now().timestamp(), lambda: self._store.read(job))

    async def recipient(self) -> Actor | None:
        """Who is told when nobody is named: ALERT_RECIPIENT_EMAIL, else the first admin."""
        email = normal(self._recipient_email())
        return await self._recipients.get(email, self._now().timestamp(), lambda: self._recipient(email))

    def forget(self) -> None:
        """People have changed: look again."""
        self._readers.forget()
        self._recipients.forget()

    async def _recipient(self, email: str) -> Actor | None:
        if not email:
            return await self._store.read(first_admin)
        known = await self._store.read(lambda tx: actor_by_email(tx, email))
        known = known or await self._store.write(lambda tx: self._welcome(tx, email))
        return _active(known) or await self._store.read(first_admin)

    async def _welcome(self, tx: Tx, email: str) -> Actor | None:
        """The owner's settings name this person, so this is an operator, also before anybody adds them by hand."""
        at = self._now()
        added = await tx.run(
            "INSERT INTO operator (id, email, name, role, created_at) VALUES (:id, :email, :name, :role, :at)"
            " ON CONFLICT (email) DO NOTHING",
            {
                "id": new_id(at),
                "email": email,
                "name": email.partition("@")[0],
                "role": str(Role.OPERATOR),
                "at": at.timestamp(),
            },
        )
        if added:
            detail = {"because": "ALERT_RECIPIENT_EMAIL"}
            await self._ledger.record(tx, at, "settings", "operator.added", email, "", dict(detail))
        return await actor_by_email(tx, email)


def _active(actor: Actor | None) -> Actor | None:
    return actor if actor and actor.active else None
