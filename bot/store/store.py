"""What a store is. Jobs are small coroutines over a `Tx`; they await nothing else, so SQLite can run them in a thread.

Every write goes through one writer per process, which runs whatever has queued up since the last commit as one
transaction: a commit per job would cap the product at a few hundred requests a second. A job that fails undoes its own
work alone. A job may be run twice, the second time after its first work was undone, so it changes nothing but rows.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from bot.store.bulk import Bulk, Row, Values, Write

T = TypeVar("T")
Params = Mapping[str, Any]
NOTHING: Params = {}


class StoreUnavailable(Exception):
    """The database cannot take or give anything now (gone, full, read-only, locked). Nothing was stored."""


class Tx(Protocol):
    """One transaction. SQL is written once, with :names, in what SQLite and PostgreSQL have in common."""

    @property
    def skip_locked(self) -> str:
        """The clause after a SELECT that claims rows, empty where there is one writer anyway."""
        ...

    @property
    def for_update(self) -> str:
        """The clause after a SELECT of rows that are about to be changed, empty where there is one writer anyway."""
        ...

    async def run(self, sql: str, params: Params = ...) -> int:
        """Execute; the number of rows that were changed."""
        ...

    async def bulk(self, bulk: Bulk, rows: Sequence[Values]) -> list[Row]:
        """Execute once for all rows; what it gives back."""
        ...

    async def rows(self, sql: str, params: Params = ...) -> list[Row]: ...

    async def row(self, sql: str, params: Params = ...) -> Row | None: ...


Job = Callable[[Tx], Awaitable[T]]


class Store(Protocol):
    """A database. `write` returns after the commit that holds the job's work; a failing job undoes itself alone."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def write(self, job: Job[T]) -> T: ...

    async def put(self, *writes: Write) -> list[Row]:
        """Like a job that does these writes, but sharing its statements with everybody who puts the same now.

        Returns what the statements give back for these rows.
        """
        ...

    async def read(self, job: Job[T]) -> T: ...


def open_store(url: str) -> Store:
    """The store behind `sqlite:///path` or `postgresql://…`. Drivers are imported only where they are used."""
    if url.startswith("sqlite:///"):
        from bot.store.sqlite import SqliteStore

        return SqliteStore(url.removeprefix("sqlite:///"))
    from bot.store.postgres import PostgresStore

    return PostgresStore(url)
