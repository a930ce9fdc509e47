"""The guarded session judges the address at which a connection is made, whatever led there."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientConnectorError, ClientError, ClientSession

from bot.channels.http import Allowed, guarded_session, shared_session
from bot.version import VERSION
from tests.channels.http.names import Names
from tests.channels.http.receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


async def get(session: ClientSession, url: str) -> int:
    async with session, session.get(url) as response:
        return response.status


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::ffff:127.0.0.1]"]
)
async def test_no_form_of_loopback_is_reached(receiver: Receiver, host: str) -> None:
    with pytest.raises(ClientError):
        await get(guarded_session(Allowed), f"http://{host}:{receiver.port}/")
    assert receiver.calls == []


async def test_a_name_that_resolves_to_loopback_is_not_reached(receiver: Receiver) -> None:
    with pytest.raises(ClientConnectorError):
        await get(guarded_session(Allowed, Names("127.0.0.1")), f"http://hooks.example.com:{receiver.port}/")
    assert receiver.calls == []


async def test_a_name_with_several_private_addresses_is_not_reached(receiver: Receiver) -> None:
    with pytest.raises(ClientConnectorError, match="not a public address"):
        await get(guarded_session(Allowed, Names("127.0.0.1 10.0.0.1")), f"http://hooks.example.com:{receiver.port}/")


async def test_a_name_that_rebinds_after_the_check_is_not_reached(receiver: Receiver) -> None:
    names = Names("93.184.215.14", "127.0.0.1")
    looked_at_when_saved = await names.resolve("hooks.example.com")
    with pytest.raises(ClientConnectorError):
        await get(guarded_session(Allowed, names), f"http://hooks.example.com:{receiver.port}/")
    assert [each["host"] for each in looked_at_when_saved] == ["93.184.215.14"]
    assert receiver.calls == []


async def test_a_redirect_to_a_private_address_is_not_followed_there(receiver: Receiver) -> None:
    async with Receiver(status=302, headers={"Location": f"http://127.0.0.2:{receiver.port}/"}) as first:
        allowed = Allowed.parse(f"127.0.0.1:{first.port}")
        with pytest.raises(ClientConnectorError):
            await get(guarded_session(lambda: allowed), first.url)
    assert receiver.calls == []


async def test_an_allowed_name_may_be_private(receiver: Receiver) -> None:
    allowed = Allowed.parse(f"automation.internal:{receiver.port}")
    session = guarded_session(lambda: allowed, Names("127.0.0.1"))
    assert await get(session, f"http://automation.internal:{receiver.port}/") == 200


async def test_an_allowed_name_does_not_open_its_address_to_other_names(receiver: Receiver) -> None:
    allowed = Allowed.parse("automation.internal")
    async with guarded_session(lambda: allowed, Names("127.0.0.1")) as session:
        async with session.get(f"http://automation.internal:{receiver.port}/"):
            pass
        with pytest.raises(ClientConnectorError):
            await session.get(f"http://hooks.example.com:{receiver.port}/")


async def test_what_is_allowed_can_change_while_the_session_lives(receiver: Receiver) -> None:
    allowed = [Allowed()]
    async with guarded_session(lambda: allowed[0]) as session:
        with pytest.raises(ClientConnectorError):
            await session.get(receiver.url)
        allowed[0] = Allowed.parse("127.0.0.1")
        async with session.get(receiver.url) as response:
            assert response.status == 200


async def test_the_shared_session_keeps_its_connection_and_says_who_calls(receiver: Receiver) -> None:
    async with shared_session() as session:
        for _ in range(3):
            async with session.get(receiver.url) as response:
                await response.read()
    assert len(receiver.connections) == 1
    assert receiver.last_headers["user-agent"] == f"Gatebell/{VERSION}"


async def test_the_shared_session_keeps_no_cookies(receiver: Receiver) -> None:
    receiver.headers = {"Set-Cookie": "who=ana"}
    async with shared_session() as session:
        for _ in range(2):
            async with session.get(receiver.url) as response:
                await response.read()
    assert "cookie" not in receiver.last_headers
