"""Thousands of connections that bring nothing, or bring it very slowly: memory is bounded, and others are served."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator
from pathlib import Path

from bot.lobby import raise_limit
from tests.patience import PATIENCE
from tests.stories.process import Process, serving
from tests.stories.world import ANA, Platforms

MANY = 5000
FEW_FILES = 512
MORE_MEMORY = 100  # MiB
SLOW = b"POST /api/v1/events HTTP/1.1\r\nHost: here\r\nContent-Le"


@contextlib.asynccontextmanager
async def crowd(process: Process, size: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """So many connections; every second one begins a request and never ends it."""
    port = int(process.environ["PORT"])
    inside: list[asyncio.StreamWriter] = []

    async def come(number: int) -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            inside.append(writer)
            if number % 2:
                writer.write(SLOW)

    coming = [asyncio.create_task(come(number)) for number in range(size)]
    await asyncio.wait(coming, timeout=PATIENCE)
    try:
        yield inside
    finally:
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        for writer in inside:
            writer.transport.abort()


async def test_beside_five_thousand_who_bring_nothing_everybody_else_is_served(
    platforms: Platforms, data: Path
) -> None:
    raise_limit()
    async with serving(platforms, data) as process:
        before = process.memory()
        size = min(MANY, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000)
        async with crowd(process, size) as inside:
            assert len(inside) == size
            assert await process.ready() == 200
            assert (await process.tell("All is well")).status == 202
            await platforms.slack.dm(ANA).wait_for("All is well")
            assert process.memory() - before < MORE_MEMORY


async def test_where_files_are_few_whoever_has_waited_longest_makes_room(platforms: Platforms, data: Path) -> None:
    raise_limit()
    async with serving(platforms, data) as process:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))
        async with crowd(process, 3 * FEW_FILES):
            await process.until_ready()
            assert (await process.tell("All is well")).status == 202
            await platforms.slack.dm(ANA).wait_for("All is well")
