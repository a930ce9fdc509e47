from collections.abc import AsyncIterator

import pytest

from bot.store import Store, open_store


@pytest.fixture
async def replicas(postgres_database: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores on one empty database."""
    here, there = open_store(postgres_database), open_store(postgres_database)
    for each in (here, there):
        await each.start()
    yield here, there
    for each in (here, there):
        await each.stop()
