"""Whoever clicks, however often and wherever: one decision stands, and everybody is told which."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.keys import Scope
from tests.stories.hands import CHANNELS, NAMES, press
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed

ROUNDS = 100


async def decided(world: World) -> str:
    """A request that Ana has approved while Ben and Mia still have its first state before them."""
    asked = await world.ask_blocked()
    await world.shown_to_all()
    world.platforms.hold_updates()
    await world.slack.dm(ANA).click("Approve")
    await world.end_of(asked["id"])
    return str(asked["id"])


# ---- later -----------------------------------------------------------------------------------------------------------


async def test_a_late_click_in_teams_is_told_who_decided_and_when(world: World) -> None:
    id_ = await decided(world)
    pressed = await world.click_in_teams("Keep blocked")
    at = (await world.see(id_))["decision"]["decided_at"][11:16]
    assert pressed.notice == f"Already decided: Approved by Ana at {at} UTC. Your click changed nothing."


async def test_a_late_click_in_slack_is_told_privately(world: World) -> None:
    await world.ask_blocked()
    await world.shown_to_all()
    late = world.slack.dm(ANA).payload("Approve")
    await world.click_in_teams("Keep blocked")
    await world.shown_to_ana("Kept blocked by Ben")
    await world.slack.interact(late)
    await world.whispered("Already decided: Kept blocked by Ben at ")


async def test_a_late_answer_on_the_page_is_told_so(world: World) -> None:
    asked = await world.ask_blocked()
    await world.shown_to_all()
    page = await world.page_of()
    await press(world, "slack", "Approve")
    await world.end_of(asked["id"])
    late = await page.press("Keep blocked")
    assert (late.status, "Already decided: Approved by Ana at " in late.text, late.buttons) == (409, True, {})


async def test_a_late_answer_over_rest_is_a_conflict(world: World) -> None:
    id_ = await decided(world)
    key = await world.key_for(Scope.INTERACTIONS_WRITE, of=BEN)
    late = await world.call("POST", f"/api/v1/interactions/{id_}/decide", {"choice": "keep_blocked"}, key=key)
    assert (late.status, "Already decided: Approved by Ana" in late["detail"]) == (409, True)


async def test_a_late_click_changes_no_decision(world: World) -> None:
    id_ = await decided(world)
    before = (await world.see(id_))["decision"]
    await world.click_in_teams("Keep blocked")
    assert (await world.see(id_))["decision"] == before


async def test_a_late_click_is_written_down_as_refused(world: World) -> None:
    await decided(world)
    await world.click_in_teams("Keep blocked")
    assert (await world.audit())[-1] == ("click.refused", BEN)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_every_copy_says_how_it_ended(world: World, channel: str) -> None:
    await world.ask_blocked()
    await world.shown_to_all()
    await press(world, channel, "Keep blocked")
    words = f"Kept blocked by {NAMES[channel]}"
    await world.shown_to_ana(words)
    await world.shown_to_ben(words)
    await world.shown_to_mia(letters=2)
    assert words in world.mail.of(MIA)[-1].text
    assert (world.slack.dm(ANA).last.labels, world.teams.chat(BEN).labels) == ([], [])


# ---- at the same moment ----------------------------------------------------------------------------------------------


async def test_the_same_button_twice_decides_once(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Approve")
    dm = world.slack.dm(ANA)
    await asyncio.gather(dm.click("Approve"), dm.click("Approve"))
    await world.whispered("Already decided: Approved by Ana at ")
    assert (await world.see(asked["id"]))["decision"]["approved"] is True
    assert await verdicts(world) == {"interaction.decided": 1, "click.refused": 1}


async def test_two_people_in_one_room_decide_once(world: World) -> None:
    world.slack.add_person("Ben", BEN)
    room = world.slack.add_channel("ops", [ANA, BEN])
    asked = await world.ask_blocked([ANA, BEN], room=room.id)
    await room.wait_for("Keep blocked")
    await asyncio.gather(room.click("Approve", by=ANA), room.click("Keep blocked", by=BEN))
    decision = (await world.end_of(asked["id"]))["decision"]
    loser = BEN if decision["by"] == "Ana" else ANA
    await room.wait_for(lambda _: room.private(loser))
    assert f"by {decision['by']} at " in room.private(loser)[-1].shown_text()
    assert await verdicts(world) == {"interaction.decided": 1, "click.refused": 1}


@pytest.mark.parametrize("backend", ["sqlite", "postgres"], indirect=True)
async def test_slack_and_teams_at_the_same_instant_a_hundred_times(any_world: World) -> None:
    for number in range(ROUNDS):
        await one_round(any_world, number)
    assert await verdicts(any_world) == {"interaction.decided": ROUNDS, "click.refused": ROUNDS}


async def test_two_replicas_at_the_same_instant_a_hundred_times(
    platforms: Platforms, data: Path, postgres_story: str
) -> None:
    """Each has its own connections and knows nothing of the other but what lies in the database."""
    shared: dict[str, Any] = {"install_teams": False, "DATABASE_URL": postgres_story, "CHAIN": "email", "PACING": "off"}
    async with installed(platforms, data, **shared) as here, installed(platforms, data, **shared) as there:
        ana, ben = [await here.operator_id(email) for email in (ANA, BEN)]
        for _ in range(ROUNDS):
            asked = (await here.ask_blocked([ANA, BEN]))["id"]
            answers = await asyncio.gather(
                here.product.dispatcher.decide(asked, "approve", ana, {}, "admin"),
                there.product.dispatcher.decide(asked, "keep_blocked", ben, {}, "admin"),
            )
            assert [each.accepted for each in answers].count(True) == 1
        assert await verdicts(here) == {"interaction.decided": ROUNDS, "click.refused": ROUNDS}


async def one_round(world: World, number: int) -> None:
    asked = await world.ask("blocked_action", {"agent": "Archivist", "tool": f"tool-{number}."}, [ANA, BEN])
    dm, chat = world.slack.dm(ANA), world.teams.chat(BEN)
    dm.room.messages.clear()
    dm.room.ephemerals.clear()
    chat.thread.posts.clear()
    await asyncio.gather(world.shown_to_ana(f"tool-{number}."), world.shown_to_ben(f"tool-{number}."))
    _, pressed = await asyncio.gather(dm.click("Approve"), chat.click("Keep blocked"))
    decision = (await world.end_of(asked["id"]))["decision"]
    outcome = "Approved by Ana" if decision["by"] == "Ana" else "Kept blocked by Ben"
    if decision["by"] == "Ana":
        assert f"Already decided: {outcome}" in str(pressed.notice)
    else:
        await world.whispered(f"Already decided: {outcome}")
    await asyncio.gather(world.shown_to_ana(outcome), world.shown_to_ben(outcome))


async def verdicts(world: World) -> Counter[str]:
    return Counter(action for action, _ in await world.audit() if action in {"interaction.decided", "click.refused"})
