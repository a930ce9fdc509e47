"""What was answered with 2xx arrives, whatever happens to the process afterwards."""

import asyncio
from collections import Counter
from pathlib import Path

from bot.rehearsal.failure import slow, status
from tests.patience import until
from tests.stories.process import Process, serving
from tests.stories.reach import events_shown
from tests.stories.world import ANA, BEN, MIA, Platforms

MANY = 40
QUICK = {"PACING": "off", "COOLDOWN_SECONDS": "0"}


async def _until_shown(platforms: Platforms, expected: set[str]) -> None:
    await until(lambda: expected <= events_shown(platforms).keys(), f"{len(expected)} events")


async def _accepted(process: Process, count: int = MANY) -> set[str]:
    """Tell so many at once; those that were accepted."""
    names = [f"Event {number:03}" for number in range(count)]
    took = await asyncio.gather(*(process.told(each, severity="low") for each in names))
    return {name for name, took_it in zip(names, took, strict=True) if took_it}


async def test_a_kill_right_after_accepting_loses_nothing(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data, **QUICK) as process:
        platforms.slack.fail(slow(0.5), path="chat.postMessage")
        accepted = await _accepted(process)
        await process.kill()
        platforms.slack.heal()
        await process.start()
        await _until_shown(platforms, accepted)
        assert len(accepted) == MANY


async def test_a_kill_while_every_channel_is_down_loses_nothing_and_shows_nothing_twice(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        for platform in (platforms.slack, platforms.teams, platforms.mail):
            platform.fail(status(503), path=None)
        accepted = await _accepted(process)
        await process.kill()
        await process.start()
        await process.forward(minutes=30)  # the leases of the dead one end, and everything fails once more
        await process.until_rows("SELECT COUNT(*) AS held FROM delivery WHERE lease <> ''", [{"held": 0}])
        for platform in (platforms.slack, platforms.teams, platforms.mail):
            platform.heal()
        await process.forward(minutes=30)  # nothing is in flight: what is sent while time jumps is sent twice
        await _until_shown(platforms, accepted)
        assert events_shown(platforms) == Counter(accepted)
        assert len(accepted) == MANY


async def test_a_pending_request_survives_and_its_old_buttons_work(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data) as process:
        asked = await process.ask_blocked(callback_url=platforms.caller.url)
        await _shown_to_all(platforms, process)
        await process.kill()
        await process.start()
        await platforms.slack.dm(ANA).click("Approve")
        seen = await process.end_of(asked["id"])
        assert (seen["status"], seen["decision"]["by"]) == ("decided", "Ana")
        await platforms.teams.chat(BEN).wait_for("Approved by Ana")
        assert len(await platforms.caller.wait_for(1)) == 1
        assert len(platforms.slack.dm(ANA).messages) == 1


async def test_a_decision_that_was_not_yet_shown_everywhere_is_shown_after_a_restart(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data) as process:
        await process.ask_blocked()
        await _shown_to_all(platforms, process)
        platforms.teams.fail(status(503), part="connector")
        await platforms.slack.dm(ANA).click("Approve")
        await platforms.slack.dm(ANA).wait_for("Approved by Ana")
        await process.kill()
        platforms.teams.heal()
        await process.start()
        await process.forward(minutes=1)
        await platforms.teams.chat(BEN).wait_for("Approved by Ana")


async def _shown_to_all(platforms: Platforms, process: Process) -> None:
    """And kept: what is in flight at a kill may be shown once more."""
    await asyncio.gather(
        platforms.slack.dm(ANA).wait_for("Keep blocked"),
        platforms.teams.chat(BEN).wait_for("Keep blocked"),
        platforms.mail.wait_for(1, to=MIA),
    )
    await process.until_rows("SELECT COUNT(*) AS left FROM delivery WHERE shown < wanted", [{"left": 0}])
