"""Two replicas on one PostgreSQL and one Redis: any of them takes any request, and the death of one loses nothing."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.failure import hang
from tests.patience import until
from tests.stories.process import Process, serving
from tests.stories.reach import events_shown
from tests.stories.world import ANA, BEN, MIA, Platforms, installed

MANY = 30


@pytest.fixture
def shared(postgres_story: str, valkey_url: str) -> dict[str, str]:
    return {"DATABASE_URL": postgres_story, "REDIS_URL": valkey_url, "COOLDOWN_SECONDS": "0", "PACING": "off"}


@pytest.fixture
async def replicas(platforms: Platforms, data: Path, shared: dict[str, str]) -> AsyncIterator[tuple[Process, Process]]:
    """The platforms call the second one."""
    async with serving(platforms, data, "one", **shared) as one, serving(platforms, data, "two", **shared) as two:
        yield one, two


async def test_a_click_on_one_is_heard_by_whoever_waits_at_the_other_and_copies_change_once(
    platforms: Platforms, replicas: tuple[Process, Process]
) -> None:
    one, two = replicas
    asked = await one.ask_blocked(callback_url=platforms.caller.url)
    await asyncio.gather(
        platforms.slack.dm(ANA).wait_for("Keep blocked"),
        platforms.teams.chat(BEN).wait_for("Keep blocked"),
        platforms.mail.wait_for(1, to=MIA),
    )
    waiting = asyncio.create_task(one.end_of(asked["id"]))
    await platforms.slack.dm(ANA).click("Approve")
    seen = await waiting
    assert (seen["status"], seen["decision"]["by"]) == ("decided", "Ana")
    await platforms.teams.chat(BEN).wait_for("Approved by Ana")
    await platforms.mail.wait_for(2, to=MIA)
    assert len(await platforms.caller.wait_for(1)) == 1
    done = "SELECT COUNT(*) AS left FROM delivery WHERE state <> 'done'"
    await two.until_rows(done, [{"left": 0}])
    updates = "SELECT COUNT(*) AS updates FROM attempt WHERE verb = 'update' AND channel = 'teams'"
    assert await two.rows(updates) == [{"updates": 1}]
    assert len(platforms.mail.of(MIA)) == 2


async def test_what_a_dead_replica_held_is_taken_over_by_the_other_and_shown_once(
    platforms: Platforms, replicas: tuple[Process, Process]
) -> None:
    one, two = replicas
    platforms.slack.fail(hang(), path="chat.postMessage")
    names = [f"Event {number:03}" for number in range(MANY)]
    told = await asyncio.gather(*(one.told(name, severity="low") for name in names))
    await one.kill()
    platforms.slack.heal()
    await two.forward(seconds=16)  # a lease
    await until(lambda: set(names) <= events_shown(platforms).keys(), "all of them")
    assert all(told)
    assert events_shown(platforms) == Counter(names)


async def test_a_replica_whose_clock_is_ahead_warns_and_says_by_how_much(
    platforms: Platforms, data: Path, postgres_story: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with installed(platforms, data, install_teams=False, DATABASE_URL=postgres_story) as world:
        await world.forward(minutes=1)
        await world.until(lambda: "seconds ahead of the database" in caplog.text)
        metrics = world.product.metrics.text().decode()
    assert re.search(r"^gatebell_clock_ahead_seconds (59|60)\.", metrics, re.MULTILINE)


async def test_both_work_on_one_queue_and_nothing_is_sent_twice(
    platforms: Platforms, replicas: tuple[Process, Process]
) -> None:
    one, two = replicas
    names = [f"Event {number:03}" for number in range(2 * MANY)]
    halves = ((one, names[::2]), (two, names[1::2]))
    await asyncio.gather(*(process.told(name, severity="low") for process, half in halves for name in half))
    await until(lambda: set(names) <= events_shown(platforms).keys(), "all of them")
    await one.until_rows("SELECT COUNT(*) AS left FROM delivery WHERE state <> 'done'", [{"left": 0}])
    assert events_shown(platforms) == Counter(names)


async def test_a_request_that_runs_out_is_ended_by_one_of_them_and_told_once(
    platforms: Platforms, replicas: tuple[Process, Process]
) -> None:
    one, two = replicas
    asked = await one.ask_blocked(to=[ANA], expires_in=60, callback_url=platforms.caller.url)
    await platforms.slack.dm(ANA).wait_for("Keep blocked")
    await one.until_rows("SELECT COUNT(*) AS held FROM delivery WHERE lease <> ''", [{"held": 0}])
    await asyncio.gather(one.forward(seconds=61), two.forward(seconds=61))
    assert (await two.end_of(asked["id"]))["status"] == "expired"
    await platforms.slack.dm(ANA).wait_for("Expired without an answer")
    await one.until_rows("SELECT COUNT(*) AS left FROM delivery WHERE state <> 'done'", [{"left": 0}])
    expired = "SELECT COUNT(*) AS expired FROM audit WHERE action = 'interaction.expired'"
    assert await one.rows(expired) == [{"expired": 1}]
    assert len(await platforms.caller.wait_for(1)) == 1


async def test_only_one_of_two_clicks_at_two_replicas_stands(
    platforms: Platforms, replicas: tuple[Process, Process]
) -> None:
    one, two = replicas
    asked = await one.ask_blocked(to=[ANA, BEN])
    await platforms.slack.dm(ANA).wait_for("Keep blocked")
    await platforms.teams.chat(BEN).wait_for("Keep blocked")
    platforms.slack.events_url = f"{one.address}/slack/events"
    platforms.teams.messages_url = f"{two.address}/api/messages"
    await asyncio.gather(platforms.slack.dm(ANA).click("Approve"), platforms.teams.chat(BEN).click("Keep blocked"))
    seen = await two.end_of(asked["id"])
    by = seen["decision"]["by"]
    words = {"Ana": "Approved by Ana", "Ben": "Kept blocked by Ben"}[by]
    await platforms.slack.dm(ANA).wait_for(words)
    await platforms.teams.chat(BEN).wait_for(words)
    decided = "SELECT COUNT(*) AS decided FROM audit WHERE action = 'interaction.decided'"
    assert await two.rows(decided) == [{"decided": 1}]
