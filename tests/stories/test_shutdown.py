"""SIGTERM: no new work, what is in flight ends or is kept, and the process is gone within ten seconds."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientConnectionError

from bot.rehearsal.failure import hang, slow
from tests.patience import until
from tests.stories.process import Process, serving
from tests.stories.reach import events_shown
from tests.stories.world import ANA, Platforms

QUICK = {"PACING": "off", "COOLDOWN_SECONDS": "0", "CHAIN": "slack"}
WITHIN = 10.0


@dataclass
class Load:
    """Somebody who tells of one thing after the other until the server is gone."""

    process: Process
    accepted: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)

    async def run(self, who: int) -> None:
        number = 0
        while self.process.child is not None and self.process.child.returncode is None:
            number += 1
            name = f"Event {who}-{number:04}"
            try:
                answered = await self.process.tell(name, severity="low")
            except (ClientConnectionError, TimeoutError):
                await asyncio.sleep(0.05)
                continue
            self.statuses.add(answered.status)
            if answered.status == 202:
                self.accepted.add(name)


async def test_under_load_it_stops_in_time_with_new_work_refused_and_nothing_lost(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        platforms.slack.fail(slow(0.3), path="chat.postMessage")
        load = Load(process)
        running = [asyncio.create_task(load.run(who)) for who in range(8)]
        await until(lambda: len(load.accepted) > 100, "load")
        code = await _stopped(process)
        await asyncio.gather(*running)
        platforms.slack.heal()
        await process.start()
        await until(lambda: load.accepted <= events_shown(platforms).keys(), "everything accepted")
        assert (code, load.statuses) == (0, {202, 503})


async def _stopped(process: Process) -> int:
    """The exit code, which has to come in time."""
    began = time.monotonic()
    code = await process.stop()
    assert time.monotonic() - began < WITHIN
    return code


async def test_a_channel_that_hangs_does_not_keep_it_from_stopping_and_its_work_is_kept(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        platforms.slack.fail(hang(), path="chat.postMessage")
        await process.tell("Kept for later")
        await platforms.slack.until(lambda: platforms.slack.journal, what="a call")
        assert await _stopped(process) == 0
        platforms.slack.heal()
        await process.start()
        await platforms.slack.dm(ANA).wait_for("Kept for later")


async def test_whoever_waits_for_an_answer_gets_one_when_the_server_stops(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data, CHAIN="slack") as process:
        asked = await process.ask_blocked(to=[ANA])
        waiting = asyncio.create_task(process.end_of(asked["id"]))
        await platforms.slack.dm(ANA).wait_for("Keep blocked")
        stopping = asyncio.create_task(_stopped(process))
        seen = await waiting
        assert (seen.status, seen["status"], await stopping) == (200, "pending", 0)


async def test_while_it_stops_it_says_that_it_is_not_ready(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data, **QUICK) as process:
        platforms.slack.fail(slow(2), path="chat.postMessage")
        await process.tell("Takes its time")
        await platforms.slack.until(lambda: platforms.slack.journal, what="a call")
        stopping = asyncio.create_task(_stopped(process))
        await process.until_ready(503)
        assert await stopping == 0
