"""Socket Mode: the connection is kept, changed without a gap, and found again."""

import asyncio

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from bot.channels.contract import Answer
from bot.channels.slack_socket import Patience
from bot.rehearsal.failure import Failure, error, status
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.line import HELLO, Line, socket_on
from tests.channels.slack.world import World, world_of
from tests.patience import PATIENCE


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
    assert (await slack.dm("ana@example.com").command("/gatebell", "one")).acknowledged
    assert (await slack.dm("ana@example.com").command("/gatebell", "another")).acknowledged


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


async def test_a_connection_that_slack_refuses_is_tried_again_at_another_address(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    workspace.fail(status(503), path="/link/", times=2)
    async with world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token):
        await workspace.until(lambda: workspace.sockets.connected, what="a connection")
    tickets = [each for each in workspace.journal if each.path == "/api/apps.connections.open"]
    assert len(tickets) == 3


@pytest.mark.parametrize("failure", [error("invalid_auth"), status(429, retry_after=30)], ids=repr)
async def test_whoever_refuses_for_long_is_not_asked_again_at_once(
    workspace: SlackWorkspace, session: ClientSession, failure: Failure
) -> None:
    rule = workspace.fail(failure, path="apps.connections.open")
    async with world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token):
        await workspace.until(lambda: rule.hits, what="the first attempt")
        await asyncio.sleep(1.2)
    assert rule.hits == 1


async def test_the_line_is_opened_although_slack_does_not_say_whose_workspace_this_is(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    rule = workspace.fail(error("internal_error"), path="auth.test")
    async with world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token):
        await workspace.until(lambda: workspace.sockets.connected, what="a connection")
    assert rule.hits == 1


# ---- a line that behaves badly ---------------------------------------------------------------------------------------


async def greet_and_close(socket: web.WebSocketResponse) -> None:
    await socket.send_json(HELLO)
    await socket.close()


async def greet(socket: web.WebSocketResponse) -> None:
    await socket.send_json(HELLO)


async def test_a_line_that_always_closes_is_opened_less_and_less_often(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    line = Line(greet_and_close)
    async with socket_on(line, workspace, session):
        await asyncio.sleep(1.2)
    assert 3 <= line.connections <= 8


async def test_a_line_that_has_lasted_is_opened_again_at_once(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    async def last_at_the_seventh_time(socket: web.WebSocketResponse) -> None:
        await asyncio.sleep(0.5 if line.connections == 7 else 0)
        await socket.close()

    line = Line(last_at_the_seventh_time)
    async with socket_on(line, workspace, session):
        await line.until(lambda: line.connections == 7, within=5)
        await line.until(lambda: line.connections == 8, within=0.9)


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
async def test_whoever_is_sent_away_for_good_does_not_come_back_at_once(
    workspace: SlackWorkspace, session: ClientSession, reason: str
) -> None:
    line = Line(lambda socket: socket.send_json({"type": "disconnect", "reason": reason}))
    async with socket_on(line, workspace, session):
        await asyncio.sleep(1.2)
    assert line.connections == 1


async def test_a_line_that_fell_silent_is_opened_again(workspace: SlackWorkspace, session: ClientSession) -> None:
    line = Line(greet, autoping=False)
    async with socket_on(line, workspace, session, Patience(heartbeat=0.2, first_pause=0.02)):
        await line.until(lambda: line.connections == 2)


async def test_a_line_that_lives_is_kept(workspace: SlackWorkspace, session: ClientSession) -> None:
    line = Line(greet)
    async with socket_on(line, workspace, session, Patience(heartbeat=0.2, first_pause=0.02)):
        await asyncio.sleep(1.0)
    assert (line.connections, line.greeted) == (1, ["A0LINE"])


NONSENSE = (
    "[", "[]", "null", "[" * 100_000, '{"type": 7}', '{"type": "hello", "connection_info": 7}', '{"envelope_id": ""}',
    '{"type": "hello"}', '{"type": ["disconnect"]}',
)  # fmt: skip


async def test_nonsense_on_the_line_breaks_nothing(workspace: SlackWorkspace, session: ClientSession) -> None:
    async def talk_nonsense(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"{}")
        for text in NONSENSE:
            await socket.send_str(text)
        await socket.send_json({"type": "events_api", "envelope_id": "1", "payload": 7})

    line = Line(talk_nonsense)
    async with socket_on(line, workspace, session):
        await line.until(lambda: line.acknowledged)
    assert (line.connections, line.acknowledged) == (1, ["1"])


async def test_a_request_that_fails_is_left_for_slack_to_send_again(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    async def ask(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"type": "events_api", "envelope_id": "lost", "payload": {}})
        await asyncio.sleep(0.2)
        line.defect = None
        await socket.send_json({"type": "events_api", "envelope_id": "next", "payload": {}})

    line = Line(ask, defect=RuntimeError("a defect"))
    async with socket_on(line, workspace, session):
        await line.until(lambda: line.acknowledged)
    assert (line.connections, line.acknowledged) == (1, ["next"])


async def test_an_acknowledgement_that_comes_too_late_breaks_nothing(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    async def ask(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"type": "events_api", "envelope_id": str(line.connections), "payload": {}})
        if line.connections == 1:
            await socket.close()

    line = Line(ask)
    async with socket_on(line, workspace, session):
        await line.until(lambda: line.acknowledged)
    assert line.acknowledged == ["2"]


async def test_a_click_that_lacks_what_slack_promises_is_acknowledged_and_does_nothing(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    async with world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token) as world:
        await workspace.until(lambda: workspace.sockets.connected, what="a connection")
        click = {"type": "block_actions", "user": "U0ANA", "actions": "none"}
        assert await workspace.sockets.send("interactive", click, False, 0, "", within=PATIENCE) is None
    assert world.desk.clicks == []


# ---- the connection and the rest of the product ----------------------------------------------------------------------


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
