"""A platform that hangs, is in trouble or finds a card too large harms nobody else."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.failure import Rule, error, hang, slow, status
from tests.patience import until
from tests.stories.hands import press
from tests.stories.process import Process, serving
from tests.stories.reach import at_rest, in_all_three, reached, told_of
from tests.stories.world import ANA, BEN, Platforms, World, installed

MANY = 1000
STUCK = 250
QUICK = {"CHAIN": "slack,teams", "PACING": "off", "COOLDOWN_SECONDS": "0"}
TEAMS_ALONE: dict[str, Any] = {"CHAIN": "teams", "ALERT_RECIPIENT_EMAIL": BEN}
SLOW = 1.5  # seconds that Microsoft takes for an answer
BLOCKED_FOR = 1.0  # seconds: a call that blocks the loop would take longer than this, a busy machine does not


async def test_while_one_channel_hangs_for_ever_a_thousand_notices_for_another_flow(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, **QUICK) as process:
        platforms.teams.fail(hang(), part="connector")
        stuck = [{"agent": "Archivist", "tool": f"tool.{number}"} for number in range(STUCK)]
        await asyncio.gather(*(_ask_ben(process, payload) for payload in stuck))
        began = time.time()
        names = [f"Event {number:03};" for number in range(MANY)]
        for start in range(0, MANY, 250):
            assert (await process.tell_many(names[start : start + 250], severity="low")).status == 202
        ana = platforms.slack.dm(ANA)
        await platforms.slack.until(lambda: len(ana.messages) >= MANY, what="a thousand notices")
        assert await process.metric('gatebell_delivery_attempts_total{channel="teams",reason="shown"}') == 0
        assert _longest_pause(platforms, began) < 5


async def _ask_ben(process: Process, payload: dict[str, str]) -> None:
    body = {"kind": "blocked_action", "payload": payload, "audience": {"operators": [BEN]}}
    assert (await process.call("POST", "/api/v1/interactions", body)).status == 201


def _longest_pause(platforms: Platforms, began: float) -> float:
    """Seconds without a message to Ana: a channel that waits for another stands still for its time-out."""
    moments = [began, *(each.at for each in platforms.slack.journal if each.path.endswith("chat.postMessage"))]
    return max(after - before for before, after in itertools.pairwise(moments))


@contextlib.asynccontextmanager
async def lag() -> AsyncIterator[list[float]]:
    """How late the event loop is, sampled all the time; whatever works in one step stands in it."""
    seen: list[float] = []

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            seen.append(loop.time() - before - 0.01)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


async def begun(rule: Rule) -> None:
    await until(lambda: rule.hits, "a call to Microsoft")


async def test_a_slow_login_of_microsoft_delays_no_click_in_slack(world: World) -> None:
    await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    world.teams.login.forget_tokens()
    logging_in = world.teams.fail(slow(SLOW), part="login")
    async with lag() as seen:
        await world.ask_blocked(to=[BEN])
        await begun(logging_in)
        pressed = await world.slack.dm(ANA).click("Approve")
        assert pressed.ack_ms < BLOCKED_FOR * 1000
        await world.shown_to_ana("Approved by Ana")
        await world.shown_to_ben("Keep blocked")
    assert max(seen) < BLOCKED_FOR


async def test_a_slow_key_endpoint_of_microsoft_delays_no_click_in_slack(platforms: Platforms, data: Path) -> None:
    fetching = platforms.teams.fail(slow(SLOW), part="keys")
    async with installed(platforms, data, install_teams=False) as world, lag() as seen:
        await world.ask_blocked(to=[ANA])
        await world.shown_to_ana("Keep blocked")
        saying = asyncio.create_task(platforms.teams.chat(BEN).say("hello"))
        await begun(fetching)
        pressed = await world.slack.dm(ANA).click("Approve")
        assert pressed.ack_ms < BLOCKED_FOR * 1000
        assert (await saying).status == 200
    assert max(seen) < BLOCKED_FOR


async def test_a_slack_that_answers_nothing_keeps_nobody_whom_we_have_met_from_deciding(world: World) -> None:
    """Acknowledged before anything is asked of Slack, which would show an error to whoever clicked."""
    await world.ask_blocked(to=[ANA])
    await press(world, "slack", "Approve")
    await world.shown_to_ana("Approved by Ana")
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    world.slack.fail(hang())
    pressed = await world.slack.dm(ANA).click("Keep blocked")
    assert (pressed.acknowledged, (await world.end_of(asked["id"]))["status"]) == (True, "decided")
    world.slack.heal()


async def test_a_slack_that_hangs_is_given_up_and_one_other_channel_is_used(world: World) -> None:
    await in_all_three(world)
    world.slack.fail(hang(), path="chat.postMessage")
    await world.tell("demo.event", "Read the manual", severity="critical")
    await world.teams.chat(ANA).wait_for("Read the manual")
    await at_rest(world)
    assert reached(world, "Read the manual") == ["teams"]
    assert await world.attempts() == [("slack", "send", "timed_out"), ("teams", "send", "")]


@pytest.mark.parametrize("code", [412, 429, 502, 504])
async def test_a_teams_in_trouble_is_called_again_until_it_takes_the_card(
    platforms: Platforms, data: Path, code: int
) -> None:
    async with installed(platforms, data, **TEAMS_ALONE) as world:
        world.teams.fail(status(code), path="/activities", times=2)
        assert await told_of(world) == []
        await world.forward_until(lambda: reached(world, "Read the manual", BEN))
        await at_rest(world)
        assert reached(world, "Read the manual", BEN) == ["teams"]


@pytest.mark.parametrize("refusal", [("ConversationBlockedByUser", 403), ("ConversationNotFound", 404)])
async def test_a_teams_that_refuses_for_good_is_not_called_again(
    platforms: Platforms, data: Path, refusal: tuple[str, int]
) -> None:
    async with installed(platforms, data, **TEAMS_ALONE) as world:
        code, number = refusal
        calls = world.teams.fail(error(code, status=number), path="/activities")
        await told_of(world)
        await world.forward(hours=1)
        await at_rest(world)
        assert (calls.hits, reached(world, "Read the manual", BEN)) == (1, [])


async def test_a_card_that_is_too_large_for_teams_comes_shorter_and_is_decided_where_its_link_leads(
    world: World,
) -> None:
    world.teams.fail(error("MessageSizeTooBig", status=413), path="/activities", times=1)
    asked = await world.ask_blocked(to=[BEN])
    await world.shown_to_ben("Review full request")
    ben = world.teams.chat(BEN)
    assert (ben.labels, "/reports/2024.pdf" in ben.shown_text()) == (["Review full request"], False)
    page = await world.page_at(next(link for link in ben.last.links() if "/d/" in link))
    assert "/reports/2024.pdf" in page.text
    await page.press("Approve")
    assert (await world.end_of(asked["id"]))["decision"]["by"] == "Ben"
    await world.shown_to_ben("Approved by Ben")
