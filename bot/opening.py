"""Opening the database, or saying in words why that cannot be."""

import asyncio
import re
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

from bot.store import Store, StoreUnavailable, open_store
from bot.store.migrate import CannotMigrate, bring_up_to_date

SQLITE = "sqlite:///"
PROBE = "CREATE TABLE gatebell_probe (nothing INTEGER)"
LOOK = "Look at DATABASE_URL."
MENDS = (
    (r"read-?only", "Is that a copy that takes no changes? Let DATABASE_URL name the one that does, or allow them."),
    (r"no space|disk full|is full|disk i/o|could not extend", "Make room on the disk where it lies."),
    (r"too many|connection slots", "Let it take more connections: each server keeps up to five."),
    (r"permission denied|must be owner", "Its user needs a database of its own, and the right to make tables in it."),
    (r"not a database|unable to open", "Is this the right file, in a directory that is there and may be written?"),
)


class CannotOpen(StoreUnavailable):
    """The database could not be opened; the message says in whole sentences which one, why, and what to do."""


async def opened_store(url: str) -> Store:
    """The database, brought to this version and started. Raises CannotOpen, CannotMigrate, OSError."""
    drivers_own = driver_errors(url)
    try:
        return await _started(url)
    except OSError as error:
        if url.startswith(SQLITE):
            raise
        words = (
            f"The database at {_place(url)} does not answer. Is PostgreSQL running there, and is DATABASE_URL right?"
        )
        raise CannotOpen(words) from error
    except drivers_own as error:
        raise CannotOpen(refusal(error, url)) from error
    except CannotMigrate as error:
        if refused := await _no_tables(url):
            raise CannotOpen(refusal(refused, url)) from error
        raise


def driver_errors(url: str) -> tuple[type[Exception], ...]:
    """What the driver of this database raises; a driver that is not needed is not imported."""
    if not url.startswith("postgresql:"):
        import sqlite3

        return (sqlite3.Error,)
    from asyncpg import InterfaceError, PostgresError

    return (InterfaceError, PostgresError)


def refusal(error: BaseException, url: str) -> str:
    """Why the database does not take what it has to take, with its place and what to do."""
    if isinstance(error, CannotOpen):
        return str(error)
    said = " ".join(str(error).split()).rstrip(".")
    mend = next((mend for sign, mend in MENDS if re.search(sign, said, re.IGNORECASE)), LOOK)
    return f"The database at {_place(url)} refuses us: {said}. {mend}"


async def _started(url: str) -> Store:
    await bring_up_to_date(url)
    store = open_store(url)
    await store.start()
    return store


async def _no_tables(url: str) -> Exception | None:
    """What the database says against a new table, of which nothing stays; None where it takes one."""
    refusals: tuple[type[Exception], ...] = (OSError, *driver_errors(url))
    try:
        await (asyncio.to_thread(_probe_sqlite, url) if url.startswith(SQLITE) else _probe_postgres(url))
    except refusals as error:
        return error
    return None


def _probe_sqlite(url: str) -> None:
    import sqlite3

    with closing(sqlite3.connect(url.removeprefix(SQLITE), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(PROBE)
        connection.execute("ROLLBACK")


async def _probe_postgres(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=5)
    try:
        trial = connection.transaction()
        await trial.start()
        await connection.execute(PROBE)
        await trial.rollback()
    finally:
        await connection.close()


def _place(url: str) -> str:
    """Host and port, and nothing of the login; a file by its path."""
    if url.startswith(SQLITE):
        return url.removeprefix(SQLITE)
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", []))
    return hosts if ":" in hosts or hosts.startswith("/") else f"{hosts}:5432"
