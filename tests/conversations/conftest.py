from collections.abc import AsyncIterator

import pytest

from bot.channels.http import shared_session
from bot.conversations.agent import Endpoint
from bot.rehearsal.caller import AgentEndpoint
from tests.conversations.scene import SECRET, SlowAgent, World


@pytest.fixture
async def agent() -> AsyncIterator[AgentEndpoint]:
    endpoint = AgentEndpoint()
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


@pytest.fixture
async def world(agent: AgentEndpoint) -> AsyncIterator[World]:
    """With an agent that answers."""
    async with shared_session() as http:
        yield World(http, Endpoint(agent.url, (SECRET,)))


@pytest.fixture
async def slow() -> AsyncIterator[SlowAgent]:
    endpoint = SlowAgent()
    await endpoint.start()
    yield endpoint
    endpoint.go.set()
    await endpoint.stop()


@pytest.fixture
async def queue(slow: SlowAgent) -> AsyncIterator[World]:
    """With an agent that takes its time."""
    async with shared_session() as http:
        yield World(http, Endpoint(slow.url))


@pytest.fixture
async def offline() -> AsyncIterator[World]:
    """Without an agent."""
    async with shared_session() as http:
        yield World(http, None)
