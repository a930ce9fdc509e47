"""A server that nobody can call: everything that people do in Slack comes over a connection that it opened itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.hands import press
from tests.stories.world import ANA, CLEO, Platforms, World, installed


@pytest.fixture
async def inside(platforms: Platforms, data: Path) -> AsyncIterator[World]:
    """Without a signing secret, so that there is no address for Slack at all."""
    socket: dict[str, Any] = {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": platforms.slack.app_token}
    async with installed(platforms, data, install_teams=False, **socket) as world:
        platforms.slack.events_url = None
        await platforms.slack.until(lambda: platforms.slack.sockets.connected, what="a connection")
        yield world


@pytest.mark.parametrize("label, approved", [("Approve", True), ("Keep blocked", False)])
async def test_a_click_decides(inside: World, label: str, approved: bool) -> None:
    asked = await inside.ask_blocked([ANA])
    await press(inside, "slack", label)
    decision = (await inside.end_of(asked["id"]))["decision"]
    assert (decision["approved"], decision["by"], decision["channel"]) == (approved, "Ana", "slack")


async def test_a_reason_comes_through_a_window(inside: World) -> None:
    asked = await inside.ask_blocked([ANA], reason="required_on_denial")
    await press(inside, "slack", "Keep blocked", {"reason": "The audit needs it"})
    assert (await inside.end_of(asked["id"]))["decision"]["reason"] == "The audit needs it"


async def test_a_stranger_is_refused_privately(inside: World) -> None:
    asked = await inside.ask_blocked([ANA])
    await inside.shown_to_ana("Keep blocked")
    await inside.slack.dm(ANA).click("Approve", by=CLEO)
    await inside.slack.dm(CLEO).wait_for("You were not asked to decide this")
    assert (await inside.see(asked["id"]))["status"] == "pending"


async def test_a_message_is_answered(inside: World) -> None:
    await inside.slack.dm(ANA).say("help")
    await inside.shown_to_ana("to see the requests that wait for you")


async def test_a_command_is_answered_to_the_person_alone(inside: World) -> None:
    room = inside.slack.add_channel("ops", [ANA, CLEO])
    await room.command("/gatebell", "status", by=ANA)
    await room.wait_for(lambda _: room.private(ANA))
    assert ("Slack: ready" in room.private(ANA)[-1].shown_text(), room.private(CLEO)) == (True, [])


async def test_after_slack_has_closed_the_connection_a_click_decides_over_the_next_one(inside: World) -> None:
    asked = await inside.ask_blocked([ANA])
    await inside.shown_to_ana("Keep blocked")
    await inside.slack.sockets.ask_to_reconnect()
    await inside.slack.until(lambda: inside.slack.sockets.greetings == 2, what="another connection")
    await inside.slack.dm(ANA).click("Approve")
    assert (await inside.end_of(asked["id"]))["decision"]["by"] == "Ana"
