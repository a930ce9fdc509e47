"""From an event that is sent to its card at Slack: how long it takes, how many a second, and what each costs."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from benchmarks.load import Line, Sent, paced, saturated
from benchmarks.measure import Measure, percentile
from benchmarks.processes import Running, helper, product, slack_settings

CLIENTS = 16
RATE = 50.0


@dataclass(frozen=True)
class Taken:
    """One round of load: the milliseconds from sending to arrival, cards a second, milliseconds of processor for each."""

    waits: list[float]
    rate: float
    cost: float
    missing: int


async def measured(quick: bool) -> list[Measure]:
    seconds, many = (4, 2_000) if quick else (20, 20_000)
    with helper("sink") as sink, helper("floor", sink.address) as bare:
        async with sink.line() as ear, product(slack_settings(sink)) as ours:
            floor = await _rounds(bare, ear, seconds, many)
            taken = await _rounds(ours, ear, seconds, many)
    slow, fast = zip(taken, floor, strict=True)
    return [
        Measure("event to Slack at 50/s, p99", "ms", percentile(slow[0].waits, 0.99), percentile(slow[1].waits, 0.99), most=25),
        Measure("event to Slack saturated, p99", "ms", percentile(fast[0].waits, 0.99), percentile(fast[1].waits, 0.99), most=100),
        Measure("stored and shown, 16 clients", "/s", fast[0].rate, fast[1].rate, share=0.5),
        Measure("processor for each", "ms", fast[0].cost, fast[1].cost),
        Measure("accepted and not shown", "cards", float(slow[0].missing + fast[0].missing), most=0),
    ]


async def _rounds(server: Running, ear: Line, seconds: int, many: int) -> tuple[Taken, Taken]:
    async with _lines(server) as lines:
        await _round(server, ear, saturated(lines, range(500), event))  # warm
        slow = await _round(server, ear, paced(lines, range(1000, 1000 + int(seconds * RATE)), RATE, event))
        fast = await _round(server, ear, saturated(lines, range(100_000, 100_000 + many), event))
        return slow, fast


async def _round(server: Running, ear: Line, load: "asyncio.Future[Sent] | object") -> Taken:
    await ear.json("/forget")
    before, began = server.processor, time.monotonic()
    sent: Sent = await load  # type: ignore[misc]
    posted = await all_posted(ear, sent.answered)
    last = max((times[0] for times in posted.values()), default=began)
    waits = [(posted[number][0] - at) * 1000 for number, at in sent.began.items() if number in posted]
    cost = (server.processor - before) / max(1, len(waits)) * 1000
    return Taken(waits, len(waits) / (last - began), cost, len(sent.answered.keys() - posted.keys()))


async def all_posted(ear: Line, numbers: Mapping[int, float], patience: float = 20.0) -> dict[int, list[float]]:
    """The moments at which each card came, once all of them are there or patience is over."""
    until = time.monotonic() + patience
    while True:
        posted = {int(number): times for number, times in (await ear.json("/told"))["posted"].items()}
        if numbers.keys() <= posted.keys() or time.monotonic() > until:
            return posted
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def _lines(server: Running) -> AsyncIterator[list[Line]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server.line()) for _ in range(CLIENTS)]


def event(number: int) -> tuple[str, bytes]:
    """An event as a gateway tells it, one that no other repeats."""
    body = {
        "type": "oauth.refresh_failed",
        "severity": "high",
        "summary": f"GitHub no longer accepts Dana's refresh token bench-{number}",
        "source": "gateway-1",
        "dedup_key": f"bench-{number}",
        "context": {"service": "github", "user": "dana@example.com", "error": "invalid_grant"},
    }
    return "/api/v1/events", json.dumps(body).encode()
