"""Socket Mode: the connection is kept, changed without a gap, and found again."""

import asyncio

import pytest
from aiohttp import ClientSession, ClientTimeout

from bot.channels.contract import Answer
from bot.rehearsal.failure import Failure, error, status
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.world import World, world_of


async def test_nothing_is_lost_when_slack_asks_for_another_connection(socket_world: World) -> None:
    slack = socket_world.slack
    socket_world.desk.reply = Answer(False, "No.")
    await socket_world.ask()
    for round_ in range(1, 4):
        await slack.sockets.ask_to_reconnect()
        await slack.until(lambda: slack.sockets.connected, what="a new connection")
        pressed = await slack.dm("ana@example.com").click("Approve")
        await socket_world.settled()
        assert pressed.acknowledged
        assert len(socket_world.desk.clicks) == round_


async def test_the_old_connection_is_read_until_slack_closes_it(socket_world: World) -> None:
    slack = socket_world.slack
    [old] = slack.sockets._open
    await old.send_json({"type": "disconnect", "reason": "warning"})
    await slack.until(lambda: slack.sockets.count == 2, what="a second connection beside the first")


async def test_a_connection_that_breaks_is_made_again(socket_world: World) -> None:
    slack = socket_world.slack
    await slack.sockets.close()
    await slack.until(lambda: slack.sockets.greetings == 2, what="a new connection")
    await socket_world.ask()
    await slack.dm("ana@example.com").click("Approve")
    await socket_world.settled()
    assert len(socket_world.desk.clicks) == 1


@pytest.mark.parametrize("failure", [status(500), status(429, retry_after=0.1), error("internal_error")], ids=repr)
async def test_an_outage_is_waited_for(workspace: SlackWorkspace, session: ClientSession, failure: Failure) -> None:
    rule = workspace.fail(failure, path="apps.connections.open")
    async with world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token):
        await workspace.until(lambda: rule.hits > 1, what="a second attempt")
        workspace.heal(rule)
        await workspace.until(lambda: workspace.sockets.connected, 10, "a connection")


async def test_a_connection_outlives_the_sessions_time_out(workspace: SlackWorkspace) -> None:
    async with (
        ClientSession(timeout=ClientTimeout(total=0.5)) as session,
        world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token),
    ):
        await workspace.until(lambda: workspace.sockets.connected, what="a connection")
        await asyncio.sleep(0.8)
        assert (workspace.sockets.greetings, workspace.sockets.count) == (1, 1)


async def test_the_greeting_tells_which_app_this_is(socket_world: World) -> None:
    await socket_world.channel.people.home()
    await socket_world.slack.until(lambda: socket_world.slack.sockets.greetings == 1)
    await socket_world.settled()
    assert socket_world.channel.people.app == socket_world.slack.app_id


async def test_both_ways_in_work_together(workspace: SlackWorkspace, session: ClientSession) -> None:
    async with world_of(
        workspace, session, SLACK_APP_TOKEN=workspace.app_token, SLACK_SIGNING_SECRET=workspace.signing_secret
    ) as world:
        await workspace.until(lambda: workspace.sockets.connected, what="a connection")
        await world.ask()
        await workspace.dm("ana@example.com").click("Approve")
        assert (await workspace.verify_url("proof")).body == {"challenge": "proof"}
        await world.settled()
    assert len(world.desk.clicks) == 1


async def test_the_same_click_over_both_ways_has_one_effect(workspace: SlackWorkspace, session: ClientSession) -> None:
    async with world_of(
        workspace, session, SLACK_APP_TOKEN=workspace.app_token, SLACK_SIGNING_SECRET=workspace.signing_secret
    ) as world:
        await world.ask()
        payload = workspace.dm("ana@example.com").payload("Approve")
        await workspace.interact(payload)
        await workspace.until(lambda: workspace.sockets.connected, what="a connection")
        await workspace.interact(payload)
        await world.settled()
    assert len(world.desk.clicks) == 1
