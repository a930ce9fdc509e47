"""A notice that came to nothing silences nobody: whoever tells it again is heard."""

from pathlib import Path

import pytest

from bot.dispatch.notice import Event, Result
from bot.store import StoreUnavailable
from tests.stories.world import Platforms, installed

DISK = Event("demo.event", "The disk is full", dedup_key="disk")


async def test_an_event_that_came_while_the_database_was_away_is_told_when_it_comes_again(
    platforms: Platforms, data: Path, postgres_story: str
) -> None:
    async with installed(platforms, data, install_teams=False, DATABASE_URL=postgres_story) as world:
        await world.forward(seconds=3)  # who is to be told has to be looked up anew
        await world.product.store.stop()
        try:
            with pytest.raises(StoreUnavailable):
                await world.product.dispatcher.tell(DISK)
        finally:
            await world.product.store.start()
        assert (await world.product.dispatcher.tell(DISK)).result is Result.ACCEPTED
        await world.shown_to_ana("The disk is full")
