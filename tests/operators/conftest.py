from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import bot.tables
from bot.audit.ledger import Ledger
from bot.signing import derive
from bot.store import Store, open_store

assert bot.tables  # its tables are what is created


class Clock:
    """A moment that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every test here runs on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gatebell.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    if database.startswith("sqlite"):
        create_tables(database)
    else:
        await create_tables_there(database)
    store = open_store(database)
    await store.start()
    yield store
    await store.stop()


def create_tables(url: str) -> None:
    engine = create_engine(url)
    SQLModel.metadata.create_all(engine)
    engine.dispose()


async def create_tables_there(url: str) -> None:
    import asyncpg
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    connection = await asyncpg.connect(url)
    for table in SQLModel.metadata.sorted_tables:
        await connection.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    await connection.close()


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, derive("a secret of sixteen", "audit"))
