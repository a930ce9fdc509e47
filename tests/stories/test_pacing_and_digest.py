"""More than a person can read: paced to what the platform takes, told together, the gravest first and alone."""

import asyncio
import re
import time
from pathlib import Path

from bot.rehearsal.slack_message import Message
from tests.stories.process import Process, serving
from tests.stories.world import ANA, Platforms, World

STORM = 10_000
LISTS = 20
CALM = {"CHAIN": "slack", "COOLDOWN_SECONDS": "0"}
MORE_MEMORY = 150  # MiB that a storm may take at the most


async def test_ten_thousand_notices_for_one_person_end_soon_in_few_messages_within_bounded_memory(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **CALM) as process:
        await process.tell("Before the storm")
        await platforms.slack.dm(ANA).wait_for("Before the storm")
        before = process.memory()
        size = STORM // LISTS
        storm = [[f"Event {number:05}" for number in range(start, start + size)] for start in range(0, STORM, size)]
        await asyncio.gather(*(process.tell_many(each, severity="low") for each in storm))
        await process.tell("The house burns", severity="critical")
        await _calm(process)
        messages = [each for each in platforms.slack.dm(ANA).messages if "Before the storm" not in each.shown_text()]
        assert sum(_notices(each) for each in messages) == STORM + 1
        assert len(messages) < 100
        assert process.memory() - before < MORE_MEMORY


async def _calm(process: Process) -> None:
    """Time goes on until nothing waits; what was put together would have waited for hours alone."""
    waiting = "SELECT COUNT(*) AS waiting FROM delivery WHERE state = 'open'"
    for _ in range(60):
        now = await process.forward(seconds=5)
        await process.until_rows(f"{waiting} AND due_at <= {now}", [{"waiting": 0}])
        if await process.rows(waiting) == [{"waiting": 0}]:
            return
    raise AssertionError(f"after five minutes there still wait {await process.rows(waiting)}")


def _notices(message: Message) -> int:
    """How many notices one message tells of."""
    together = re.search(r"([\d,]+) notices at once", message.shown_text())
    return int(together[1].replace(",", "")) if together else 1


async def test_a_critical_one_goes_out_before_the_hundred_that_wait(world: World) -> None:
    events = [{"type": "demo.event", "summary": f"Event {number:03}", "severity": "low"} for number in range(100)]
    await world.call("POST", "/api/v1/events", events)
    await world.tell("demo.event", "The house burns", severity="critical")
    await world.shown_to_ana("The house burns")
    shown = [each.shown_text() for each in world.slack.dm(ANA).messages]
    assert sum("Event" in each for each in shown) < 10


async def test_a_question_is_never_put_together_with_others(world: World) -> None:
    for _ in range(30):
        await world.ask_blocked(to=[ANA])
    await world.forward(minutes=2)
    ana = world.slack.dm(ANA)
    await world.slack.until(lambda: len(ana.messages) == 30, what="thirty questions")
    assert all("Keep blocked" in each.shown_text() for each in ana.messages)


async def test_no_more_goes_to_one_place_than_its_platform_takes(world: World) -> None:
    """A short burst, and in the long run one a second."""
    began = time.monotonic()
    for number in range(12):
        await world.tell("demo.event", f"Event {number:02}", severity="low")
    await world.shown_to_ana("Event 03")
    shown, took = len(world.slack.dm(ANA).messages), time.monotonic() - began
    assert 4 <= shown <= 4 * (1 + took // 4)
