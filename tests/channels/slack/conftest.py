from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.world import World, world_of


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def workspace() -> AsyncIterator[SlackWorkspace]:
    async with SlackWorkspace(limits=False) as workspace:
        workspace.add_person("Ana Lima", "ana@example.com", user_id="U0ANA")
        workspace.add_person("Ben Okoro", "ben@example.com", user_id="U0BEN")
        workspace.add_person("Cleo Strand", "cleo@elsewhere.example", user_id="U0CLEO", team="T0ELSEWHERE")
        yield workspace


@pytest.fixture
async def world(workspace: SlackWorkspace, session: ClientSession) -> AsyncIterator[World]:
    """Over HTTP."""
    async with world_of(workspace, session, SLACK_SIGNING_SECRET=workspace.signing_secret) as world:
        yield world


@pytest.fixture
async def socket_world(workspace: SlackWorkspace, session: ClientSession) -> AsyncIterator[World]:
    """Over Socket Mode."""
    async with world_of(workspace, session, SLACK_APP_TOKEN=workspace.app_token) as world:
        await workspace.until(lambda: workspace.sockets.connected, what="a socket")
        yield world


@pytest.fixture(params=["world", "socket_world"])
def either(request: pytest.FixtureRequest) -> World:
    """Once over HTTP, once over Socket Mode."""
    chosen: World = request.getfixturevalue(request.param)
    return chosen
