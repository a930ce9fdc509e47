"""The app comes into Teams, leaves it and comes back: whoever it cannot reach there is told on the next channel."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.rehearsal.teams_screen import Chat
from tests.stories.reach import told_of
from tests.stories.world import ANA, BEN, Platforms, World, installed

CROSSED = {"user": "dana@example.com", "tool": "crm.search", "window": "1h", "count": 1200, "limit": 1000}


async def removed(chat: Chat) -> None:
    await chat.remove()


async def left_by_an_upgrade(chat: Chat) -> None:
    await chat.leave_by_upgrade()


@pytest.fixture
async def in_teams(world: World) -> World:
    """Ana has added the app, and no Slack is in her way."""
    world.teams.add_person("Ana", ANA)
    await world.teams.chat(ANA).install()
    await world.product.settings.save({"CHAIN": "teams,email"}, "cli")
    return world


async def test_whoever_has_added_the_app_is_told_there(in_teams: World) -> None:
    assert await told_of(in_teams) == ["teams"]


@pytest.mark.parametrize("leave", [removed, left_by_an_upgrade])
async def test_whoever_has_the_app_no_more_is_told_by_mail_and_teams_is_not_called(
    in_teams: World, leave: Callable[[Chat], Awaitable[None]]
) -> None:
    await leave(in_teams.teams.chat(ANA))
    assert await told_of(in_teams) == ["email"]
    assert await in_teams.attempts() == [("teams", "send", "no_address"), ("email", "send", "")]


async def test_whoever_adds_the_app_again_is_told_there_again(in_teams: World) -> None:
    chat = in_teams.teams.chat(ANA)
    await chat.remove()
    await chat.install()
    assert await told_of(in_teams) == ["teams"]


async def test_an_upgrade_changes_nothing_for_whoever_has_the_app(in_teams: World) -> None:
    await in_teams.teams.chat(ANA).upgrade()
    assert await told_of(in_teams) == ["teams"]


async def test_the_channel_that_the_app_is_added_to_becomes_the_room_in_the_settings(world: World) -> None:
    room = world.teams.add_channel("Alerts", [BEN])
    await room.install(by=BEN)
    await world.settled()
    now = world.product.settings.now
    assert (now["TEAMS_CONVERSATION_ID"], now["TEAMS_SERVICE_URL"]) == (room.id, world.teams.service_url)


async def test_a_room_survives_a_restart(platforms: Platforms, data: Path) -> None:
    room = platforms.teams.add_channel("Alerts", [BEN])
    async with installed(platforms, data, CHAIN="teams") as world:
        await room.install(by=BEN)
        await world.settled()
    async with installed(platforms, data, CHAIN="teams", install_teams=False) as world:
        await world.tell("throughput.threshold", context=CROSSED)
        await room.wait_for("1,200 times")


async def test_an_old_client_that_knows_no_execute_decides_too(world: World) -> None:
    asked = await world.ask_blocked([BEN])
    await world.shown_to_ben("Keep blocked")
    await world.teams.chat(BEN).submit_click("Approve")
    assert (await world.end_of(asked["id"]))["decision"]["by"] == "Ben"
    await world.shown_to_ben("Approved by Ben")
