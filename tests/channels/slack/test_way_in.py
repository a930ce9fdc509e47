"""What is noted of Slack's calls, so that the doctor can say what Slack itself does not."""

import time

import pytest
from aiohttp import ClientSession

from bot.channels.way_in import Heard, heard
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.world import World, world_of

ANOTHER = "0123456789abcdef0123456789abcdef"


async def noted(world: World) -> Heard:
    await world.settled()
    return await heard(world.shelf)


async def test_slacks_own_look_at_the_request_url_is_a_call_and_no_click(world: World) -> None:
    await world.slack.verify_url()
    found = await noted(world)
    assert (found.called_at > 0, found.clicked_at) == (True, 0.0)


async def test_a_click_is_noted_on_both_ways_in(either: World) -> None:
    await either.ask()
    await either.slack.dm("ana@example.com").click("Approve")
    assert (await noted(either)).clicked_at > 0


async def test_a_socket_that_greets_us_is_a_call(socket_world: World) -> None:
    assert (await noted(socket_world)).called_at > 0


async def test_a_call_with_another_secret_says_which_setting_is_wrong(world: World) -> None:
    await world.slack.deliver(b"{}", secret=ANOTHER)
    found = await noted(world)
    assert found.doubt
    assert "SLACK_SIGNING_SECRET" in found.doubt.words
    assert "Basic Information" in found.doubt.mend


@pytest.mark.parametrize("off, words", [(-600, "10 minutes old"), (600, "10 minutes ahead of its time")])
async def test_a_call_that_is_signed_at_another_time_says_that_the_clock_is_off(
    world: World, off: int, words: str
) -> None:
    await world.slack.deliver(b"{}", timestamp=int(time.time()) + off)
    found = await noted(world)
    assert found.doubt
    assert (words in found.doubt.words, "NTP" in found.doubt.mend) == (True, True), found.doubt


@pytest.mark.parametrize("header", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
async def test_a_call_of_nobody_in_particular_is_no_sign_of_a_wrong_secret(world: World, header: str) -> None:
    await world.slack.deliver(b"{}", {header: None})
    assert (await noted(world)).doubt is None


async def test_a_click_from_another_app_says_that_the_secrets_are_of_two_apps(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    async with world_of(workspace, session, SLACK_SIGNING_SECRET=workspace.signing_secret) as world:
        await world.ask()
        payload = world.slack.dm("ana@example.com").payload("Approve")
        await world.slack.interact({**payload, "api_app_id": "A0ANOTHER"})
        found = await noted(world)
    assert found.doubt
    assert "another app" in found.doubt.words
    assert found.in_doubt
