import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.docs.shell import Reader
from tests.stories.conftest import data, migrated, platforms
from tests.stories.world import ANA, Platforms, World, installed

__all__ = ["data", "migrated", "platforms"]
YES = ("Approve", "Execute", "Europe")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"


@pytest.fixture
async def world(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    """The product as the pages set it up, and Ana, who approves whatever she is asked."""
    async with installed(platforms, data, WEBHOOK_SECRET=SECRET, GATEBELL_TEST_CLOCK="") as world:
        willing = asyncio.create_task(_approve_everything(world))
        yield world
        willing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await willing


@pytest.fixture
def reader(world: World, platforms: Platforms, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Somebody who reads the pages beside this installation, with its settings and a key."""
    settings = world.product.settings.now
    environ = {name: value for name, value in settings.items() if settings.locked(name)}
    reader = Reader(tmp_path_factory.mktemp("reader"), world.address)
    reader.environ = {**environ, "GATEBELL_URL": world.address, "GATEBELL_API_KEY": world.key}
    reader.environ |= {"GATEBELL_DATA_DIR": str(settings.data_dir)}
    # Whoever went through the pages has saved something.
    (settings.data_dir / "gateway.env").touch(0o600)
    reader.settle_in(settings.data_dir)
    return reader


async def _approve_everything(world: World) -> None:
    pressed: set[str] = set()
    while True:
        for message in world.slack.dm(ANA).messages:
            label = next((each for each in YES if each in message.labels), None)
            if label and message.ts not in pressed:
                pressed.add(message.ts)
                await world.slack.dm(ANA).click(label, message=message)
        await asyncio.sleep(0.05)
