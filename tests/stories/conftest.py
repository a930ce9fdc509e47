import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.store.migrate import bring_up_to_date
from tests.conftest import asyncio_run, postgres_execute
from tests.stories.process import Process, serving
from tests.stories.reach import in_all_three
from tests.stories.world import Platforms, World, installed

BACKENDS = ("sqlite", "sqlite+redis", "postgres", "postgres+redis")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of this version, made once: every story begins with a copy."""
    path = tmp_path_factory.mktemp("migrated") / "gatebell.db"
    asyncio_run(bring_up_to_date(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """The same on PostgreSQL: the name of a database that others are made from.

    Each folder of tests that takes this fixture over makes its own, on the one server.
    """
    name = f"template_{uuid4().hex}"
    postgres_execute(postgres_url, f"CREATE DATABASE {name}")
    asyncio_run(bring_up_to_date(postgres_url.replace("/postgres?", f"/{name}?")))
    return name


@pytest.fixture
def data(tmp_path: Path, migrated: Path) -> Path:
    """A data directory with an empty database in it."""
    shutil.copy(migrated, tmp_path)
    return tmp_path


@pytest.fixture
def postgres_story(postgres_url: str, migrated_postgres: str) -> Iterator[str]:
    name = f"story_{uuid4().hex}"
    postgres_execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {migrated_postgres}")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    postgres_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def platforms() -> AsyncIterator[Platforms]:
    async with Platforms.started() as started:
        yield started


@pytest.fixture
async def world(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    """The product as it comes: SQLite and memory."""
    async with installed(platforms, data) as world:
        yield world


@pytest.fixture
async def everywhere(world: World) -> World:
    """With Ana in all three places."""
    return await in_all_three(world)


@pytest.fixture
async def replicas(
    platforms: Platforms, data: Path, postgres_story: str, valkey_url: str
) -> AsyncIterator[tuple[Process, Process]]:
    """Two servers on one PostgreSQL and one Redis, and one producer at both. The platforms call the second one."""
    shared = {"DATABASE_URL": postgres_story, "REDIS_URL": valkey_url}
    async with serving(platforms, data, "one", **shared) as one, serving(platforms, data, "two", **shared) as two:
        two.key = one.key
        yield one, two


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of each database with and without Redis; every promise holds on all of them."""
    settings = {}
    if "postgres" in request.param:
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_story")
    if "redis" in request.param:
        settings["REDIS_URL"] = request.getfixturevalue("valkey_url")
    return settings


@pytest.fixture
async def any_world(platforms: Platforms, backend: dict[str, Any], data: Path) -> AsyncIterator[World]:
    async with installed(platforms, data, **backend) as world:
        yield world
