"""The same trouble is told once an hour; whatever else happens is told at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.keys import Scope
from bot.rehearsal.failure import status
from tests.admin.signed_in import signed_in
from tests.stories.process import Process, serving, typed
from tests.stories.reach import at_rest, in_all_three, reached
from tests.stories.world import ANA, Answered, Platforms, World, installed

OAUTH = {"service": "GitHub", "user": "dana@example.com", "error": "invalid_grant"}
TEST = "A test from Gatebell"
SIGNED_OUT = "signed out of GitHub"


@pytest.fixture(params=["memory", "redis"])
def kept_in(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"REDIS_URL": request.getfixturevalue("valkey_url")} if request.param == "redis" else {}


async def _fail(world: World, **changed: str) -> Answered:
    return await world.tell("oauth.refresh_failed", context={**OAUTH, **changed})


async def test_a_repeating_error_is_told_on_its_first_occurrence_alone(
    platforms: Platforms, data: Path, kept_in: dict[str, Any]
) -> None:
    async with installed(platforms, data, install_teams=False, **kept_in) as world:
        results = [(await _fail(world))["result"] for _ in range(3)]
        await at_rest(world)
        assert results == ["accepted", "deduplicated", "deduplicated"]
        assert reached(world, SIGNED_OUT) == ["slack"]


async def test_another_context_is_another_trouble(platforms: Platforms, data: Path, kept_in: dict[str, Any]) -> None:
    async with installed(platforms, data, install_teams=False, **kept_in) as world:
        assert (await _fail(world))["result"] == "accepted"
        assert (await _fail(world, user="erin@example.com"))["result"] == "accepted"


async def test_after_an_hour_it_is_told_again(platforms: Platforms, data: Path, kept_in: dict[str, Any]) -> None:
    async with installed(platforms, data, install_teams=False, **kept_in) as world:
        await _fail(world)
        await world.forward(minutes=59)
        assert (await _fail(world))["result"] == "deduplicated"
        await world.forward(minutes=1, seconds=1)
        assert (await _fail(world))["result"] == "accepted"
        await at_rest(world)
        assert reached(world, SIGNED_OUT) == ["slack", "slack"]


async def test_the_end_is_told_within_the_hour_and_the_next_failure_too(
    platforms: Platforms, data: Path, kept_in: dict[str, Any]
) -> None:
    async with installed(platforms, data, install_teams=False, **kept_in) as world:
        await _fail(world)
        await world.tell("oauth.refresh_failed", context=OAUTH, status="resolved")
        await world.shown_to_ana("works again")
        assert (await _fail(world))["result"] == "accepted"


async def test_it_is_given_back_when_nobody_could_be_told(
    platforms: Platforms, data: Path, kept_in: dict[str, Any]
) -> None:
    async with installed(platforms, data, install_teams=False, CHAIN="slack", **kept_in) as world:
        failing = world.slack.fail(status(500), path="chat.postMessage")
        await _fail(world)
        await at_rest(world)
        world.slack.heal(failing)
        assert (await _fail(world))["result"] == "accepted"


async def test_one_producer_does_not_silence_another(world: World) -> None:
    await _fail(world)
    other = await world.key_for(Scope.EVENTS_WRITE)
    body = {"type": "oauth.refresh_failed", "summary": "x", "context": OAUTH}
    assert (await world.call("POST", "/api/v1/events", body, key=other))["result"] == "accepted"


async def test_questions_are_never_held_back(world: World) -> None:
    for _ in range(3):
        assert (await world.ask_blocked(to=[ANA])).status == 201
    await at_rest(world)
    assert reached(world, "Keep blocked") == ["slack"] * 3


async def test_an_update_is_never_held_back(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    await world.withdraw(asked["id"])
    await world.shown_to_ana("Withdrawn")


async def test_a_test_from_the_page_arrives_each_time(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        for _ in range(2):
            await browser.post("/admin/notifications/channel/slack/test")
    await at_rest(world)
    assert reached(world, TEST) == ["slack", "slack"]


async def test_a_test_from_the_terminal_arrives_each_time(platforms: Platforms, data: Path, valkey_url: str) -> None:
    async with serving(platforms, data, REDIS_URL=valkey_url) as process:
        sent = [await typed(process.environ, "send", "Hello", "--channel", "slack") for _ in range(2)]
    assert [code for code, _ in sent] == [0, 0], sent
    assert [each.shown_text().count("Hello") for each in platforms.slack.dm(ANA).messages] == [1, 1]


async def test_a_test_that_its_channel_refuses_goes_to_no_other(world: World) -> None:
    await in_all_three(world)
    world.slack.fail(status(500), path="chat.postMessage")
    async with await signed_in(world, ANA) as browser:
        await browser.post("/admin/notifications/channel/slack/test")
    await at_rest(world)
    assert ({channel for channel, _, _ in await world.attempts()}, reached(world, TEST)) == ({"slack"}, [])


async def test_what_cannot_be_stored_is_not_taken_for_told(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data, CHAIN="slack") as process:
        process.limit_files(1)
        refused = await process.tell("The disk is full")
        process.limit_files(0)
        again = await process.tell("The disk is full")
        assert (refused.status, again["result"]) == (503, "accepted")


async def test_the_same_a_thousand_times_at_once_on_two_replicas_is_told_once(
    platforms: Platforms, data: Path, postgres_story: str, valkey_url: str
) -> None:
    shared = {"DATABASE_URL": postgres_story, "REDIS_URL": valkey_url, "CHAIN": "slack"}
    async with (
        serving(platforms, data, "one", **shared) as one,
        serving(platforms, data, "two", **shared) as two,
    ):
        two.key = one.key  # one producer
        results = await asyncio.gather(*(_results(each, 500) for each in (one, two)))
        accepted = [result for each in results for result in each if result == "accepted"]
        held_back = [result for each in results for result in each if result == "deduplicated"]
        await platforms.slack.dm(ANA).wait_for("All at once")
        assert (len(accepted), len(held_back)) == (1, 999)
        assert len(platforms.slack.dm(ANA).messages) == 1
        name = 'gatebell_events_total{result="deduplicated",type="other"}'
        assert await one.metric(name) + await two.metric(name) == 999


async def _results(process: Process, count: int) -> list[str]:
    """What became of so many, twenty at a time."""
    left = iter(range(count))
    found: list[str] = []

    async def some() -> None:
        found.extend([(await process.tell("All at once"))["result"] for _ in left])

    await asyncio.gather(*(some() for _ in range(20)))
    return found
