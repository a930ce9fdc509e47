"""Attacks on what there is only so much of: tasks, memory, series of metrics, and the time of everybody else."""

import asyncio
import json
import os
from io import BytesIO
from itertools import product
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.stories.process import Process, serving
from tests.stories.world import ANA, Platforms, World, a_moment

ABANDONED = 200
A_WHILE = 5.0  # seconds, of the minute that they would have waited
MANY = 300
FEW = 50
TIMES = 4
LONGEST_HOLD = 0.6  # seconds of computing for one request, during which nobody else is answered


async def test_nothing_goes_on_for_those_who_wait_for_an_answer_and_leave(world: World) -> None:
    """A client that gives up after a second and comes again would else pile up sixty of itself."""
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    before = len(asyncio.all_tasks())
    await asyncio.gather(*(waits_and_leaves(world, str(asked["id"])) for _ in range(ABANDONED)))
    async with asyncio.timeout(A_WHILE):
        while len(asyncio.all_tasks()) > before + ABANDONED / 10:
            await a_moment()


async def waits_and_leaves(world: World, id_: str) -> None:
    host, _, port = world.address.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /api/v1/interactions/{id_}?wait=60 HTTP/1.1\r\nHost: {host}\r\n".encode())
    writer.write(f"Authorization: Bearer {world.key}\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()


async def test_whoever_stays_is_answered_beside_those_who_left(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    staying = asyncio.create_task(world.see(asked["id"], wait=PATIENCE))
    await waits_and_leaves(world, str(asked["id"]))
    await world.slack.dm(ANA).click("Approve")
    assert (await staying)["status"] == "decided"


def fields(form: str) -> bytes:
    """Nearly a megabyte of small wrong things."""
    return form.replace("*", ",".join(f'"k{number}": 1' for number in range(60_000))).encode()


BODIES = {
    "unknown fields": ("/api/v1/events", fields("{*}")),
    "wrong labels": ("/api/v1/events", fields('{"type": "t", "summary": "s", "labels": {*}}')),
    "unknown fields of a payload": ("/api/v1/interactions", fields('{"kind": "blocked_action", "payload": {*}}')),
    "too many events": ("/api/v1/events", b"[" + b",".join([b"{}"] * 300_000) + b"]"),
    "long numbers": ("/api/v1/events", b'{"type": "t", "summary": "s", "occurred_at": ' + b"9" * 4000 + b"}"),
}


@pytest.mark.parametrize("path, body", BODIES.values(), ids=BODIES.keys())
async def test_no_wrong_body_holds_everybody_else_up(platforms: Platforms, data: Path, path: str, body: bytes) -> None:
    async with serving(platforms, data) as process:
        headers = {"Authorization": f"Bearer {process.key}"}
        before = worked(process)
        for _ in range(TIMES):
            async with process.http.post(process.address + path, data=BytesIO(body), headers=headers) as response:
                assert response.status == 422
        assert worked(process) - before < TIMES * LONGEST_HOLD


def worked(process: Process) -> float:
    """Seconds that it has computed so far, however busy the machine is with others."""
    user, system = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


# ---- series of metrics -----------------------------------------------------------------------------------------------

VERBS = ("GET", "POST", "PROPFIND", "MKCOL", "TRACE", "REPORT", "SEARCH", "UNLOCK")


async def test_what_is_sent_makes_no_series_of_metrics(world: World) -> None:
    await every_kind_of_request(world, "once")
    await series(world)
    await world.settled()
    before = await series(world)
    for number in range(MANY // len(VERBS)):
        await every_kind_of_request(world, f"again-{number}")
    assert len(await series(world) - before) < FEW


async def every_kind_of_request(world: World, name: str) -> None:
    for verb, path in product(VERBS, (f"/{name}", f"/api/v1/interactions/{name}", f"/d/{name}")):
        async with world.http.request(verb, world.address + path) as response:
            await response.read()
    await world.tell(f"type.{name}", source=name, dedup_key=name, labels={name: name})
    await world.ask(name, {})
    await world.call("GET", "/api/v1/audit", key=f"gb_{name}", headers={"X-Forwarded-For": name})
    await world.slack.deliver(json.dumps({"type": name}).encode())


async def series(world: World) -> set[str]:
    async with world.http.get(f"{world.address}/metrics") as response:
        lines = (await response.text()).splitlines()
    return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}
