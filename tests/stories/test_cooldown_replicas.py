"""The cooldown at two replicas: whatever one of them hears of a trouble counts at the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.process import Process, serving
from tests.stories.world import Answered, Platforms


@pytest.fixture
async def replicas(
    platforms: Platforms, data: Path, postgres_story: str, valkey_url: str
) -> AsyncIterator[tuple[Process, Process]]:
    shared = {"DATABASE_URL": postgres_story, "REDIS_URL": valkey_url}
    async with serving(platforms, data, "one", **shared) as one, serving(platforms, data, "two", **shared) as two:
        two.key = one.key  # one producer
        yield one, two


async def test_a_trouble_that_ended_at_one_replica_is_told_anew_at_the_other(
    replicas: tuple[Process, Process],
) -> None:
    one, two = replicas
    told = [
        await failing(one),
        await failing(two),
        await failing(two, status="resolved"),
        await failing(one),
        await failing(one),
    ]
    assert [each["result"] for each in told] == [
        "accepted",
        "deduplicated",
        "accepted",
        "accepted",
        "deduplicated",
    ]


async def failing(process: Process, **fields: str) -> Answered:
    return await process.tell("The disk is full", dedup_key="disk", **fields)
