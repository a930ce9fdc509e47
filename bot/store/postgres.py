"""PostgreSQL: one connection that writes in groups, a small pool that reads, both reconnecting by themselves."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg

from bot.store.bulk import Bulk, Row, Values, Write, for_postgres
from bot.store.group import Queued, run_together, tell
from bot.store.store import NOTHING, Job, Params, StoreUnavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

GROUP = 64
READERS = 4
TRIES = 5
FROZEN = 10  # seconds after which the server ends a transaction whose process says no more, and frees what it locked
GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says of a connection that broke while it was being used
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
CROSSED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
FULL = (asyncpg.InsufficientResourcesError, asyncpg.ReadOnlySQLTransactionError)


class PostgresTx:
    skip_locked = "FOR UPDATE SKIP LOCKED"
    for_update = "FOR UPDATE"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def run(self, sql: str, params: Params = NOTHING) -> int:
        text, names = numbered(sql)
        status: str = await self._connection.execute(text, *(params[name] for name in names))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def bulk(self, bulk: Bulk, rows: Sequence[Values]) -> list[Row]:
        if not rows:
            return []
        found: list[Row] = await self._connection.fetch(for_postgres(bulk), *zip(*rows, strict=True))
        return found

    async def rows(self, sql: str, params: Params = NOTHING) -> list[Row]:
        text, names = numbered(sql)
        found: list[Row] = await self._connection.fetch(text, *(params[name] for name in names))
        return found

    async def row(self, sql: str, params: Params = NOTHING) -> Row | None:
        text, names = numbered(sql)
        found: Row | None = await self._connection.fetchrow(text, *(params[name] for name in names))
        return found


@lru_cache(maxsize=512)
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """`:name` as `$1`, and the names in order. A doubled colon is a cast and stays."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"(?<!:):([a-z_][a-z0-9_]*)", number, sql), tuple(names)


class PostgresStore:
    def __init__(self, url: str) -> None:
        self._url = url
        self._queue: asyncio.Queue[Queued] = asyncio.Queue()
        self._pool: Any = None
        self._connection: Any = None
        self._writing: asyncio.Task[None] | None = None
        self._taking = False

    async def start(self) -> None:
        self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=READERS, timeout=5, command_timeout=30)
        self._writing = asyncio.create_task(self._write_for_ever(), name="postgres-write")
        self._taking = True

    async def stop(self) -> None:
        self._taking = False  # what comes from now on is refused
        if self._writing:
            await self._queue.join()
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            self._writing = None
        for open_end in (self._connection, self._pool):
            if open_end is not None:
                await open_end.close()
        self._connection = self._pool = None

    async def write(self, job: Job[T]) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._take(Queued(done, job))
        return await done

    async def put(self, *writes: Write) -> list[Row]:
        done: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self._take(Queued(done, writes=writes))
        return await done

    def _take(self, queued: Queued) -> None:
        if not self._taking:
            raise StoreUnavailable("the database is closed")
        self._queue.put_nowait(queued)

    async def read(self, job: Job[T]) -> T:
        if self._pool is None:
            raise StoreUnavailable("the database is closed")
        try:
            async with self._lent() as connection:
                return await job(PostgresTx(connection))
        except (*GONE, *FULL, TimeoutError) as error:
            raise StoreUnavailable(str(error) or type(error).__name__) from error

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Any]:
        """A connection to read with. Whatever the server says against a new one, there is none now."""
        try:
            connection = await self._pool.acquire(timeout=5)
        except asyncpg.PostgresError as error:
            raise StoreUnavailable(str(error) or type(error).__name__) from error
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    async def _write_for_ever(self) -> None:
        while True:
            group = [await self._queue.get()]
            while len(group) < GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            await self._commit(group)
            for queued in group:
                if queued.again:
                    queued.error, queued.again = None, False
                    self._queue.put_nowait(queued)
                else:
                    tell(queued)
                self._queue.task_done()

    async def _commit(self, group: list[Queued]) -> None:
        try:
            connection = await self._connected()
            async with connection.transaction():
                if not await _ran_together(connection, group):
                    for queued in group:
                        await _run_alone(connection, queued)
        except (*GONE, *FULL, TimeoutError) as error:
            log.warning("nothing could be written: %s", error)
            _refuse(group, error)
            self._disconnect()
        except Exception as error:  # there is one writer, and it must not die
            log.exception("nothing could be written")
            _refuse(group, error)
            self._disconnect()

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, timeout=5, command_timeout=30)
            await self._connection.execute(f"SET idle_in_transaction_session_timeout = '{FROZEN}s'")
        return self._connection

    def _disconnect(self) -> None:
        """Whatever the connection went through, the next group begins with a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _refuse(group: Sequence[Queued], error: Exception) -> None:
    for queued in group:
        queued.again = False
        queued.error = StoreUnavailable(str(error) or type(error).__name__)


async def _ran_together(connection: Any, group: Sequence[Queued]) -> bool:
    """All of them behind one savepoint; false, and nothing done, if one failed."""
    try:
        async with connection.transaction():
            await run_together(PostgresTx(connection), group)
    except (*GONE, *FULL):
        raise
    except Exception:  # noqa: BLE001 - run alone, it fails again, and to its own caller only
        return False
    return True


async def _run_alone(connection: Any, queued: Queued) -> None:
    try:
        async with connection.transaction():
            await run_together(PostgresTx(connection), [queued])
    except (*GONE, *FULL):
        raise
    except CROSSED as error:  # another replica holds what this one wants, and the other way round: later it is free
        queued.tries += 1
        queued.again = queued.tries < TRIES
        queued.error = StoreUnavailable(str(error))
    except asyncpg.UniqueViolationError as error:  # another replica may have put the same just now: then it is found
        queued.tries += 1
        queued.again = queued.tries < 2
        queued.error = error
    except Exception as error:  # noqa: BLE001 - one job's own failure must not undo its neighbours
        queued.error = error
