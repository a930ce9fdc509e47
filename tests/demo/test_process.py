"""The demo's process: how it starts and stops, and what its front door lets through."""

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.demo.conftest import COMMAND, Demo, running
from tests.patience import until

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def visitor(shared_demo: Demo) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody at the door of a running demo, in which others may have killed the server before."""
    async with aiohttp.ClientSession(shared_demo.address) as session:
        await until(lambda: is_up(session), "the server to be up again")
        yield session


async def is_up(visitor: aiohttp.ClientSession) -> bool:
    return (await answered(visitor, "/readyz"))[0] == 200


async def answered(visitor: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with visitor.get(path) as reply:
        return reply.status, await reply.text()


async def test_the_server_is_reached_through_the_front_door(visitor: aiohttp.ClientSession) -> None:
    assert (await answered(visitor, "/readyz"))[0] == 200


async def test_a_strangers_request_to_slacks_address_is_refused_by_the_server(visitor: aiohttp.ClientSession) -> None:
    async with visitor.post("/slack/events", data=b"payload={}") as reply:
        assert reply.status == 401


async def test_while_the_server_is_killed_the_door_says_when_to_come_back(visitor: aiohttp.ClientSession) -> None:
    async with visitor.post("/demo/kill", json={}) as reply:
        assert reply.status == 200
    async with visitor.get("/api/v1/interactions") as reply:
        assert (reply.status, reply.headers["Retry-After"]) == (502, "1")


async def test_who_answers_while_the_server_is_away_is_asked_to_press_again(visitor: aiohttp.ClientSession) -> None:
    async with visitor.post("/demo/kill", json={}):
        pass
    async with visitor.post("/demo/teams/say", json={"who": "ben", "text": "yes"}) as reply:
        assert await reply.json() == {"words": "The server is just coming back. Press again."}


async def test_the_page_stays_while_the_server_is_killed(visitor: aiohttp.ClientSession) -> None:
    async with visitor.post("/demo/kill", json={}):
        pass
    status, page = await answered(visitor, "/")
    assert status == 200
    assert "<title>Gatebell demo</title>" in page


async def test_the_page_allows_no_foreign_and_no_inline_script(visitor: aiohttp.ClientSession) -> None:
    async with visitor.get("/") as reply:
        policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "headers, why",
    [
        ({**JSON, "Sec-Fetch-Site": "cross-site"}, "another site"),
        ({"Content-Type": "text/plain"}, "a form that needs no asking"),
    ],
)
async def test_only_the_page_itself_presses(visitor: aiohttp.ClientSession, headers: dict[str, str], why: str) -> None:
    async with visitor.post("/demo/kill", data="{}", headers=headers) as reply:
        assert reply.status == 403, why


@pytest.mark.parametrize("path", ["/demo/scenarios/nonsense", "/demo/switches/fax", "/demo/switches/slack"])
async def test_what_there_is_not_is_named(visitor: aiohttp.ClientSession, path: str) -> None:
    async with visitor.post(path, json={"to": "nonsense"}) as reply:
        assert reply.status == 404
        assert "there is no" in (await reply.json())["words"]


async def test_only_the_demos_own_files_are_served(visitor: aiohttp.ClientSession) -> None:
    assert (await answered(visitor, "/demo/..%2fpage.py"))[0] == 404


def test_a_taken_port_is_said_in_plain_words(shared_demo: Demo, tmp_path: Path) -> None:
    port = shared_demo.address.rpartition(":")[2]
    second = refused(port, tmp_path)
    assert second.returncode == 1
    assert second.stderr == (
        f"Port {port} of 127.0.0.1 is taken by another program."
        f" Choose another: {Path(sys.executable).parent}/gatebell demo --port {int(port) + 1}\n"
    )


def test_after_the_last_port_the_usual_one_is_offered(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        assert refused("65535", tmp_path).stderr.endswith("gatebell demo --port 8080\n")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing_behind(tmp_path: Path, sign: signal.Signals) -> None:
    with running(tmp_path) as demo:
        children = children_of(demo.process.pid)
        assert demo.stop(sign) == 0
    assert [pid for pid in children if is_alive(pid)] == []
    assert left_in(tmp_path) == []


def test_settings_of_another_installation_are_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CHAIN=nonsense,nonsense\n")
    with running(tmp_path) as demo:
        assert demo.stop() == 0


def refused(port: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a demo says that cannot have this port."""
    return subprocess.run(
        [*COMMAND, port], cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin"}
    )


def children_of(pid: int) -> list[int]:
    if not Path("/proc/self/task").exists():
        pytest.skip("only Linux tells a process's children in /proc")
    tasks = Path(f"/proc/{pid}/task")
    found = [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    assert found, "the server runs as a process of its own"
    return found


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def left_in(folder: Path) -> list[Path]:
    return list(folder.glob("gatebell-demo-*"))
