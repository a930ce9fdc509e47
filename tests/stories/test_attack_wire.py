"""What is sent by hand: requests that hide another one, bodies that do not unpack, and scanners that speak no HTTP."""

import asyncio
import gzip
import re
from io import BytesIO
from pathlib import Path

import pytest

from tests.stories.process import Process, serving
from tests.stories.world import Platforms, World

EVENT = b'{"type": "demo.event", "summary": "Told by hand"}'
ANSWER = re.compile(rb"^HTTP/1\.\d (\d{3}) ", re.MULTILINE)
SECOND = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(EVENT)
MORE_MEMORY = 50  # MiB
CHUNKED = b"Transfer-Encoding: chunked\r\n"


async def sent(server: World | Process, raw: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    host, _, port = server.address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(raw)
    try:
        return await reader.read()
    finally:
        writer.close()


def telling(server: World | Process, head: bytes, body: bytes = EVENT) -> bytes:
    key = f"Authorization: Bearer {server.key}\r\n".encode()
    return b"POST /api/v1/events HTTP/1.1\r\nHost: here\r\nConnection: close\r\n" + key + head + b"\r\n" + body


AMBIGUOUS = {
    "two lengths": LENGTH + b"Content-Length: 5\r\n",
    "the same length twice": LENGTH * 2,
    "a list of lengths": LENGTH.replace(b"\r\n", b", 5\r\n"),
    "a length with a sign": LENGTH.replace(b": ", b": +"),
    "a length below nothing": b"Content-Length: -1\r\n",
    "a length beyond everything": b"Content-Length: 99999999999999999999999\r\n",
    "a length and pieces": LENGTH + CHUNKED,
    "pieces and a length": CHUNKED + LENGTH,
    "pieces in another way": b"Transfer-Encoding: xchunked\r\n",
    "pieces, then not": CHUNKED + b"Transfer-Encoding: identity\r\n",
    "a space before the colon": b"Content-Length : 5\r\n",
    "a second host": b"Host: there\r\n",
}


@pytest.mark.parametrize("head", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_a_request_that_two_readers_would_end_elsewhere_is_refused_with_all_that_follows(
    world: World, head: bytes
) -> None:
    answer = await sent(world, telling(world, head) + SECOND)
    assert ANSWER.findall(answer) == [b"400"]
    assert await world.product.store.read(lambda tx: tx.rows("SELECT id FROM event")) == []


@pytest.mark.parametrize("size", [b"0x31", b"-1", b"+31", b"31 ", b"g", b"fffffffffffffffff"], ids=repr)
async def test_a_piece_whose_size_is_none_is_refused_with_all_that_follows(world: World, size: bytes) -> None:
    raw = telling(world, CHUNKED, size + b"\r\n" + EVENT + b"\r\n0\r\n\r\n")
    answer = await sent(world, raw + SECOND)
    assert ANSWER.findall(answer) == [b"400"]


async def test_a_body_in_pieces_is_taken_and_what_follows_it_names_nobody(world: World) -> None:
    """Trailers come after the check of the key."""
    pieces = b"".join(b"1\r\n" + EVENT[place : place + 1] + b"\r\n" for place in range(len(EVENT)))
    raw = telling(world, CHUNKED, pieces + b"0\r\nAuthorization: Bearer gb_x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
    assert (await sent(world, raw)).split(b" ")[1] == b"202"


@pytest.mark.parametrize(
    "first", [b"TRACE /healthz", b"CONNECT evil.example:443", b"OPTIONS *", b"GET http://evil.example/nowhere"]
)
async def test_nothing_is_passed_on_or_sent_back_for_whoever_takes_it_for_a_proxy(world: World, first: bytes) -> None:
    raw = first + b" HTTP/1.1\r\nHost: here\r\nCookie: mine=to-be-sent-back\r\nConnection: close\r\n\r\n"
    answer = await sent(world, raw)
    assert (answer.split(b" ")[1] in {b"404", b"405"}, b"to-be-sent-back" in answer) == (True, False)


# ---- bodies that do not unpack ---------------------------------------------------------------------------------------

PACKED = ("/api/v1/events", "/slack/events", "/login", "/d/some.token")


@pytest.mark.parametrize("path", PACKED)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_a_body_that_does_not_unpack_is_its_senders_fault(world: World, path: str, accept: str) -> None:
    headers = {
        "Authorization": f"Bearer {world.key}",
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": accept,
    }
    async with world.http.post(world.address + path, data=b"this is not packed", headers=headers) as response:
        assert response.status == 400, await response.text()


async def test_a_body_that_unpacks_to_a_flood_is_refused_within_bounded_memory(
    platforms: Platforms, data: Path
) -> None:
    flood = gzip.compress(bytes(200 * 2**20), compresslevel=1)
    async with serving(platforms, data) as process:
        before = process.memory()
        headers = {
            "Authorization": f"Bearer {process.key}",
            "Content-Encoding": "gzip",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        for path in PACKED:
            async with process.http.post(process.address + path, data=BytesIO(flood), headers=headers) as response:
                assert response.status == 413
        assert process.memory() - before < MORE_MEMORY


async def test_whoever_leaves_in_the_middle_of_a_body_is_no_fault_of_ours(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data) as process:
        for path in PACKED:
            await cut_off(process, path)
        assert (await process.tell("All is well")).status == 202
        assert " ERROR " not in process.words


async def cut_off(process: Process, path: str) -> None:
    """A request that announces more than it brings."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(process.environ["PORT"]))
    key = f"Authorization: Bearer {process.key}\r\nAccept: text/html\r\n".encode()
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n{"
    writer.write(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: here\r\n" + key + form)
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()


# ---- scanners --------------------------------------------------------------------------------------------------------

SECRET = b"Bearer gb_of-somebody-who-mistyped-0123456789"
NO_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: here\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: here\r\nAuthorization: " + SECRET + b"\x00\r\n\r\n",
    b"GET /d/01hq.0123456789abcdef.a-signature \x1b[2J HTTP/1.1\r\nHost: here\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: here\r\n\r\n",
)


async def test_scanners_neither_fill_the_log_nor_write_into_it(platforms: Platforms, data: Path) -> None:
    async with serving(platforms, data) as process:
        before = len(process.words)
        for _ in range(20):
            for raw in NO_HTTP:
                await sent(process, raw)
            await platforms.slack.deliver(b"payload={}", secret="0" * 32)
        written = process.words[before:]
    assert (len(written) < 3000, "Traceback" in written, "a-signature" in written) == (True, False, False)
    assert SECRET.decode().rpartition(" ")[2] not in written
