"""A platform that hangs harms nobody but those who can only be reached there."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bot.rehearsal.failure import Rule, hang, slow
from tests.stories.process import Process, serving
from tests.stories.world import ANA, BEN, Platforms, World, installed

MANY = 1000
STUCK = 250
QUICK = {"CHAIN": "slack,teams", "PACING": "off", "COOLDOWN_SECONDS": "0"}
SLACKS_PATIENCE = 3.0  # seconds for an acknowledgement
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
        await platforms.slack.until(lambda: len(ana.messages) >= MANY, 60, "a thousand notices")
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
    async with asyncio.timeout(5):
        while not rule.hits:
            await a_moment()


async def a_moment() -> None:
    await asyncio.sleep(0.01)


async def test_a_slow_login_of_microsoft_delays_no_click_in_slack(world: World) -> None:
    await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    world.teams.login.forget_tokens()
    logging_in = world.teams.fail(slow(1.5), part="login")
    async with lag() as seen:
        await world.ask_blocked(to=[BEN])
        await begun(logging_in)
        pressed = await world.slack.dm(ANA).click("Approve")
        assert pressed.ack_ms < SLACKS_PATIENCE / 3 * 1000
        await world.shown_to_ana("Approved by Ana")
        await world.shown_to_ben("Keep blocked")
    assert max(seen) < BLOCKED_FOR


async def test_a_slow_key_endpoint_of_microsoft_delays_no_click_in_slack(platforms: Platforms, data: Path) -> None:
    fetching = platforms.teams.fail(slow(1.5), part="keys")
    async with installed(platforms, data, install_teams=False) as world, lag() as seen:
        await world.ask_blocked(to=[ANA])
        await world.shown_to_ana("Keep blocked")
        saying = asyncio.create_task(platforms.teams.chat(BEN).say("hello"))
        await begun(fetching)
        pressed = await world.slack.dm(ANA).click("Approve")
        assert pressed.ack_ms < SLACKS_PATIENCE / 3 * 1000
        assert (await saying).status == 200
    assert max(seen) < BLOCKED_FOR
