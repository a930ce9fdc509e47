import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store, open_store
from bot.store.migrate import bring_up_to_date


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables, made once: every test begins with a copy."""
    path = tmp_path_factory.mktemp("migrated") / "gatebell.db"
    asyncio.run(bring_up_to_date(f"sqlite:///{path}"))
    return path


@pytest.fixture
async def store(migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
    await store.start()
    yield store
    await store.stop()
