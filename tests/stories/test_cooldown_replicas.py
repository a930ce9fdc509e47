"""The cooldown at two replicas: whatever one of them hears of a trouble counts at the other."""

from tests.stories.process import Process
from tests.stories.world import Answered


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
