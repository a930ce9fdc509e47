"""The migrations make exactly the tables that the code describes."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.store import migrate
from bot.store.migrate import HEAD, CannotMigrate, bring_up_to_date, current


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'g.db'}"
    found: str = request.getfixturevalue("postgres_database")
    return found


async def test_an_empty_database_is_brought_to_the_newest_version(url: str) -> None:
    assert await current(url) == ""
    await bring_up_to_date(url)
    assert await current(url) == HEAD
    await bring_up_to_date(url)


def test_head_is_the_newest_file() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrate.configured(None)).get_current_head() == HEAD


async def test_nothing_differs_between_the_tables_and_the_migrations(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine
    from sqlmodel import SQLModel

    import bot.dispatch.tables
    import bot.tables  # noqa: F401 - makes its tables known

    url = f"sqlite:///{tmp_path / 'g.db'}"
    await bring_up_to_date(url)
    with create_engine(url).connect() as connection:
        differences: list[Any] = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    assert differences == []


async def test_tables_of_a_newer_program_are_left_alone(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "g.db"
    await bring_up_to_date(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CannotMigrate, match="newer"):
        await bring_up_to_date(f"sqlite:///{path}")


def test_a_server_never_loads_alembic_or_sqlalchemy() -> None:
    code = "import bot.store, bot.store.sqlite, sys; print([m for m in ('alembic', 'sqlalchemy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == []


async def test_an_address_may_say_how_the_connection_is_secured(postgres_database: str) -> None:
    address = f"{postgres_database}&sslmode=disable"
    await bring_up_to_date(address)
    assert await current(address) == HEAD
