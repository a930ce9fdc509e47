"""Bringing the database's tables to this version. Run as a program, so that a server never holds Alembic in memory.

The address of the database comes through the environment: an argument could be read by every user of the machine.
"""

import asyncio
import os
import sys
from pathlib import Path
from subprocess import run as run_program
from typing import Any

HEAD = "0003"  # the newest file in migrations/versions
ADDRESS = "GATEBELL_MIGRATE_URL"


class CannotMigrate(Exception):
    """The tables could not be brought to this version; the message says why."""


async def current(url: str) -> str:
    """The version of the tables; "" where there are none. Uses nothing but the driver."""
    if url.startswith("sqlite:///"):
        return await asyncio.to_thread(_current_sqlite, url.removeprefix("sqlite:///"))
    import asyncpg

    connection = await asyncpg.connect(url, timeout=5)
    try:
        known = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        return await connection.fetchval("SELECT version_num FROM alembic_version") or "" if known else ""
    finally:
        await connection.close()


async def bring_up_to_date(url: str) -> None:
    """Migrate if needed. Raises CannotMigrate, also for tables of a newer version than this one."""
    found = await current(url)
    if found == HEAD:
        return
    if found > HEAD:
        raise CannotMigrate(f"the database is of version {found}, newer than this program ({HEAD}); run the newer one")
    environ = {**os.environ, ADDRESS: url}
    done = await asyncio.to_thread(
        run_program,
        [sys.executable, "-m", "bot.store.migrate"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotMigrate((done.stderr.strip().splitlines() or ["the migration failed"])[-1])


def _current_sqlite(path: str) -> str:
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""
    finally:
        connection.close()


def configured(connection: Any) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Any) -> None:
    """To the newest version, one process at a time."""
    from alembic import command
    from sqlalchemy import text

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(7429001)"))
    command.upgrade(configured(connection), "head")
    connection.commit()


def main() -> None:
    url = os.environ[ADDRESS]
    if url.startswith("sqlite:///"):
        from sqlalchemy import create_engine

        with create_engine(url).connect() as connection:
            upgrade(connection)
    else:
        asyncio.run(_upgrade_postgres(url))


async def _upgrade_postgres(url: str) -> None:
    """The driver itself reads the address, as it does for the server: SQLAlchemy knows fewer parameters."""
    import asyncpg
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


if __name__ == "__main__":
    main()
