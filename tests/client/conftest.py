"""The client against the whole product, behind a real port."""

import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from gatebell import AsyncGatebell, Gatebell
from tests.api.conftest import Api, api, environ, migrated

__all__ = ["api", "environ", "migrated"]


@pytest.fixture
def gate(api: Api) -> Iterator[Gatebell]:
    with Gatebell(api.address, api.keys["agent"], agent="deploy-bot", patience=5) as gate:
        yield gate


@pytest.fixture
async def gate_async(api: Api) -> AsyncIterator[AsyncGatebell]:
    async with AsyncGatebell(api.address, api.keys["agent"], agent="deploy-bot", patience=5) as gate:
        yield gate


class Flaky:
    """A server that answers what it is told to, in order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[web.Response | None] = []
        self.asked: list[tuple[str, str, object]] = []
        self.port = 0

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, await request.json() if request.can_read_body else None))
        answer = self.answers.pop(0)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


@pytest.fixture
async def flaky() -> AsyncIterator[Flaky]:
    flaky = Flaky()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", flaky.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    flaky.port = runner.addresses[0][1]
    yield flaky
    await runner.cleanup()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
