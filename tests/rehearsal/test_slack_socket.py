import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.slack import SlackWorkspace
from tests.rehearsal.listening import actions, button


@pytest.fixture
async def slack() -> AsyncIterator[SlackWorkspace]:
    async with SlackWorkspace(patience=0.5) as workspace:
        workspace.add_person("Ana Silva", "ana@example.com", user_id="U0ANA")
        yield workspace


@pytest.fixture
def client(slack: SlackWorkspace) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
async def app(slack: SlackWorkspace, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """An app on bolt, connected by its own Socket Mode."""
    app = AsyncApp(client=client, token=slack.bot_token)
    handler: Any = AsyncSocketModeHandler(app, slack.app_token, web_client=client)
    await handler.connect_async()
    await slack.until(lambda: slack.sockets.connected)
    yield app
    await handler.close_async()


async def test_bolt_hears_a_click_over_its_socket(slack: SlackWorkspace, client: AsyncWebClient, app: AsyncApp) -> None:
    heard: list[Any] = []

    @app.action("approve")
    async def approve(ack: Any, body: Any) -> None:
        await ack()
        heard.append(body["user"]["id"])

    await client.chat_postMessage(channel="U0ANA", text="Asked", blocks=[actions(button("Approve"))])
    pressed = await slack.dm("ana@example.com").click("Approve")
    assert (pressed.acknowledged, heard) == (True, ["U0ANA"])


async def test_bolt_hears_a_message_over_its_socket(slack: SlackWorkspace, app: AsyncApp) -> None:
    heard = asyncio.Event()

    @app.event("message")
    async def message(body: Any) -> None:
        heard.set()

    await slack.dm("ana@example.com").say("help")
    await asyncio.wait_for(heard.wait(), 2)


async def test_bolts_answer_to_a_command_is_shown(slack: SlackWorkspace, app: AsyncApp) -> None:
    @app.command("/gatebell")
    async def command(ack: Any) -> None:
        await ack("Two alerts")

    await slack.dm("ana@example.com").command("/gatebell", "list")
    assert [each.text for each in slack.dm("ana@example.com").ephemerals] == ["Two alerts"]


async def test_bolt_comes_back_when_asked_to_reconnect(slack: SlackWorkspace, app: AsyncApp) -> None:
    await slack.sockets.ask_to_reconnect()
    await slack.until(lambda: slack.sockets.greetings == 2, 10)
    assert slack.sockets.connected


async def test_an_envelope_without_an_answer_is_not_acknowledged(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    deaf: Any = SocketModeClient(app_token=slack.app_token, web_client=client)
    await deaf.connect()
    await client.chat_postMessage(channel="U0ANA", text="Asked", blocks=[actions(button("Approve"))])
    pressed = await slack.dm("ana@example.com").click("Approve")
    await deaf.close()
    assert (pressed.acknowledged, pressed.delivery.reason) == (False, "timeout")


async def test_a_ticket_opens_one_socket_only(slack: SlackWorkspace) -> None:
    client = AsyncWebClient(base_url=slack.api_url)
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with ClientSession() as session:
        first = await session.ws_connect(url)
        assert (await first.receive_json())["type"] == "hello"
        second = await session.get(url.replace("ws", "http", 1))
        await first.close()
    assert second.status == 403
