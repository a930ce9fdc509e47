from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.rehearsal.teams import TeamsTenant
from tests.channels.teams.world import World, world_of


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def tenant() -> AsyncIterator[TeamsTenant]:
    async with TeamsTenant(limits=False) as tenant:
        tenant.add_person("Ana Lima", "ana@example.com")
        tenant.add_person("Ben Okoro", "ben@example.com")
        tenant.add_person("Cleo Strand", "cleo@example.com")
        yield tenant


@pytest.fixture
async def world(tenant: TeamsTenant, session: ClientSession) -> AsyncIterator[World]:
    async with world_of(tenant, session) as world:
        yield world
