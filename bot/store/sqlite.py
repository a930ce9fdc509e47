"""SQLite: a thread that writes in groups, a thread that reads; WAL, and a commit is on disk before it is believed."""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bot.store.bulk import Bulk, Row, Values, Write, as_json, for_sqlite
from bot.store.group import Queued, run_together, tell
from bot.store.store import NOTHING, Job, Params, StoreUnavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

GROUP = 256  # jobs in one commit at the most, so that the first of them does not wait for ever
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "wal_autocheckpoint=4000")


class SqliteTx:
    skip_locked = ""
    for_update = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def run(self, sql: str, params: Params = NOTHING) -> int:
        return self._connection.execute(sql, params).rowcount

    async def bulk(self, bulk: Bulk, rows: Sequence[Values]) -> list[Row]:
        found: list[Row] = self._connection.execute(for_sqlite(bulk), {"rows": as_json(rows)}).fetchall()
        return found

    async def rows(self, sql: str, params: Params = NOTHING) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()

    async def row(self, sql: str, params: Params = NOTHING) -> Row | None:
        found: Row | None = self._connection.execute(sql, params).fetchone()
        return found


class SqliteStore:
    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: list[Queued] = []
        self._writing = False
        self._groups: queue.SimpleQueue[list[Queued]] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._reader = ThreadPoolExecutor(1, "sqlite-read")
        self._reading: sqlite3.Connection | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(None, self._connect)
        self._reading = await loop.run_in_executor(self._reader, self._connect)
        self._writer = threading.Thread(target=self._write_for_ever, args=(connection, loop), name="sqlite-write")
        self._writer.start()

    async def stop(self) -> None:
        if writer := self._writer:
            self._writer = None  # what comes from now on is refused
            self._groups.put(self._waiting)
            self._waiting = []
            self._groups.put([])
            await asyncio.to_thread(writer.join)
        if reading := self._reading:
            self._reading = None  # as above
            await asyncio.get_running_loop().run_in_executor(self._reader, reading.close)
        self._reader.shutdown()

    async def write(self, job: Job[T]) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._take(Queued(done, job))
        return await done

    async def put(self, *writes: Write) -> list[Row]:
        done: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self._take(Queued(done, writes=writes))
        return await done

    def _take(self, queued: Queued) -> None:
        if self._writer is None:
            raise StoreUnavailable("the database is closed")
        self._waiting.append(queued)
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """All that came while the last group was written is the next one: the threads wake each other once a group."""
        group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
        self._writing = bool(group)
        if group:
            self._groups.put(group)

    def _written(self, group: Sequence[Queued]) -> None:
        for queued in group:
            tell(queued)
        self._hand_over()

    async def read(self, job: Job[T]) -> T:
        if self._reading is None:
            raise StoreUnavailable("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, job)

    def _read(self, job: Job[T]) -> T:
        if self._reading is None:
            raise StoreUnavailable("the database is closed")
        try:
            return finish(job(SqliteTx(self._reading)))
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.row_factory = _as_mapping
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _write_for_ever(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        while group := self._groups.get():
            self._commit(connection, group)
            loop.call_soon_threadsafe(self._written, group)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, group: list[Queued]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            if not _run_together(connection, group):
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                for queued in group:
                    _run_alone(connection, queued)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            log.warning("nothing could be written: %s", error)
            with contextlib.suppress(sqlite3.Error):  # there is one writer, and it must not die of what it reports
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            for queued in group:
                queued.error = StoreUnavailable(str(error))


def finish(work: Awaitable[T]) -> T:
    """Run a job to its end at once: over SQLite its awaits never wait."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a job of the store may await nothing but its transaction")


def _run_together(connection: sqlite3.Connection, group: list[Queued]) -> bool:
    """All jobs without savepoints, which would nearly double the statements; false if one of them failed."""
    try:
        finish(run_together(SqliteTx(connection), group))
    except sqlite3.OperationalError:
        raise
    except Exception:  # noqa: BLE001 - run alone, it fails again, and to its own caller only
        return False
    return True


def _run_alone(connection: sqlite3.Connection, queued: Queued) -> None:
    connection.execute("SAVEPOINT job")
    try:
        finish(run_together(SqliteTx(connection), [queued]))
    except sqlite3.OperationalError:
        raise  # the disk, a lock: the whole group fails
    except Exception as error:  # noqa: BLE001 - one job's own failure must not undo its neighbours
        connection.execute("ROLLBACK TO job")
        queued.error = error
    connection.execute("RELEASE job")


def _as_mapping(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Mapping[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
