"""From accepting to the message before somebody's eyes, and to an end that is said when nobody takes it."""

import asyncio
import statistics
import time
from pathlib import Path

import pytest

from bot.dispatch.chain import GIVE_UP_AFTER
from bot.rehearsal.failure import status
from tests.stories.reach import at_rest, in_all_three, reached, told_of
from tests.stories.world import ANA, BEN, CLEO, MIA, Platforms, World, installed

LATENCY = 0.1  # seconds


async def test_an_event_lies_before_the_recipient_at_once(any_world: World) -> None:
    """Nothing is collected first: it is due when it is told, and no time has to pass."""
    assert await told_of(any_world) == ["slack"]


@pytest.mark.parametrize("severity", ["critical", "medium"])
async def test_an_alert_is_in_slack_within_a_tenth_of_a_second(platforms: Platforms, data: Path, severity: str) -> None:
    async with installed(platforms, data, PACING="off") as world:
        took = [await seconds_until_shown(world, severity, number) for number in range(12)]
    assert statistics.median(took) < LATENCY


async def seconds_until_shown(world: World, severity: str, number: int) -> float:
    began = time.perf_counter()
    await world.tell("backup.failed", f"Backup {number} has failed", severity=severity, context={"number": number})
    await world.shown_to_ana(f"Backup {number} has failed")
    return time.perf_counter() - began


async def test_each_person_is_reached_where_they_are(world: World) -> None:
    await world.ask_blocked()
    await world.shown_to_all()
    await at_rest(world)
    assert [reached(world, "Archivist", who) for who in (BEN, MIA)] == [["teams"], ["email"]]


async def test_what_slack_shows_goes_nowhere_else(world: World) -> None:
    await in_all_three(world)
    await told_of(world)
    assert not world.mail.letters
    assert [each for who in (ANA, BEN, CLEO) for each in world.teams.chat(who).activities] == []


async def test_every_attempt_says_how_long_it_took(world: World) -> None:
    await told_of(world)
    rows = await world.product.store.read(lambda tx: tx.rows("SELECT took_ms, version, detail FROM attempt"))
    assert [(row["took_ms"] > 0, row["version"], row["detail"]) for row in rows] == [(True, 0, "")]


async def test_every_attempt_is_a_row_also_to_change_a_card_and_to_tell_the_caller(any_world: World) -> None:
    world = any_world
    await world.ask_blocked(to=[ANA], callback_url=world.caller.url)
    await world.shown_to_ana("Keep blocked")
    failing = world.slack.fail(status(503), path="chat.update")
    await world.slack.dm(ANA).click("Approve")
    await world.caller.wait_for(1)
    await at_rest(world)
    world.slack.heal(failing)
    await world.forward(seconds=10)
    await world.shown_to_ana("Approved by Ana")
    await at_rest(world)
    assert sorted(await world.attempts()) == [
        ("callback", "send", ""),
        ("slack", "send", ""),
        ("slack", "update", ""),
        ("slack", "update", "unavailable"),
    ]


# ---- nobody takes it -----------------------------------------------------------------------------------------------


@pytest.fixture
async def down(world: World) -> World:
    for platform in (world.slack, world.teams, world.mail):
        platform.fail(status(503), path=None)
    return world


async def test_what_nobody_takes_is_tried_again_and_arrives_when_one_is_back(down: World) -> None:
    assert await told_of(down) == []
    down.slack.heal()
    await down.forward(seconds=10)
    await down.shown_to_ana("Read the manual")


async def test_waits_grow_so_that_a_platform_in_trouble_is_not_stormed(down: World) -> None:
    await told_of(down)
    for _ in range(60):
        await down.forward(minutes=1)
        await at_rest(down)
    sends = [each for each in await down.attempts() if each[0] == "email"]
    assert 6 <= len(sends) <= 20


async def test_after_a_day_it_is_given_up_with_a_truthful_status_and_a_metric(down: World) -> None:
    asked = await down.ask_blocked(to=[ANA], callback_url=down.caller.url)
    await at_rest(down)
    await down.forward(seconds=GIVE_UP_AFTER + 1)
    seen = await down.end_of(asked["id"])
    states = {each["channel"]: each["state"] for each in seen["deliveries"] if each["channel"] != "callback"}
    assert (seen["status"], set(states.values())) == ("undeliverable", {"failed"})
    given_up = 'gatebell_deliveries_failed_total{channel="slack"} 1.0'
    assert given_up in down.product.metrics.text().decode()


async def test_a_channel_that_is_busy_for_a_day_is_given_up_as_well(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, CHAIN="slack") as world:
        world.slack.fail(status(429, retry_after=60), path="chat.postMessage")
        asked = await world.ask("clarification", {"question": "Which?", "choices": [{"id": "a", "label": "A"}]}, [ANA])
        await at_rest(world)
        await world.forward(seconds=GIVE_UP_AFTER + 1)
        assert (await world.end_of(asked["id"]))["status"] == "undeliverable"


async def test_a_request_decided_while_it_still_waits_goes_out_decided(down: World) -> None:
    asked = await down.ask_blocked(to=[ANA])
    await at_rest(down)
    await down.withdraw(asked["id"])
    down.slack.heal()
    await down.forward(seconds=10)
    await down.shown_to_ana("Withdrawn")
    assert "Approve" not in [each.label for each in down.slack.dm(ANA).last.elements]


async def test_a_hundred_at_once_all_arrive(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, PACING="off") as world:
        await asyncio.gather(*(world.tell("demo.event", f"Event {number:03};") for number in range(100)))
        ana = world.slack.dm(ANA)
        await world.slack.until(lambda: len(ana.messages) == 100, what="a hundred messages")
        assert len({each.shown_text() for each in ana.messages}) == 100


async def test_the_caller_is_not_said_to_have_been_told_before_it_was(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA], callback_url=world.caller.url)
    await world.shown_to_ana("Keep blocked")
    before = await _caller_state(world, asked["id"])
    await world.slack.dm(ANA).click("Approve")
    await world.caller.wait_for(1)
    await at_rest(world)
    assert (before, await _caller_state(world, asked["id"])) == ("waiting", "sent")


async def _caller_state(world: World, id_: str) -> str:
    copies = (await world.see(id_))["deliveries"]
    return next(str(each["state"]) for each in copies if each["channel"] == "callback")
