"""From an event that is sent to its card at Slack: how long it takes, how many a second, and what each costs."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from benchmarks.load import Line, Request, Sent, paced, saturated
from benchmarks.measure import Measure, percentile
from benchmarks.processes import Running, helper, product, slack_settings

CLIENTS = 16
RATE = 50.0


@dataclass(frozen=True)
class Round:
    """`waits` in milliseconds from sent to shown, `rate` in cards a second, `cost` in milliseconds of processor."""

    waits: list[float]
    rate: float
    cost: float
    lost: int

    @property
    def p99(self) -> float:
        return percentile(self.waits, 0.99)


async def measured(quick: bool) -> list[Measure]:
    seconds, many = (5, 3_000) if quick else (30, 30_000)
    with helper("sink") as sink, helper("floor", sink.address) as bare:
        async with sink.line() as ear, product(slack_settings(sink)) as ours:
            floor_slow, floor_fast = await rounds(bare, ear, seconds, many)
            slow, fast = await rounds(ours, ear, seconds, many)
    return [
        Measure("event to Slack at 50/s, p99", "ms", slow.p99, floor_slow.p99, most=25),
        Measure("event to Slack, 16 clients at once, p99", "ms", fast.p99, floor_fast.p99, most=100),
        Measure("events stored and shown, 16 clients", "/s", fast.rate, floor_fast.rate, share=0.5),
        Measure("processor for each", "ms", fast.cost, floor_fast.cost),
        Measure("accepted and never shown", "cards", float(slow.lost + fast.lost), most=0),
    ]


async def rounds(server: Running, ear: Line, seconds: int, many: int) -> tuple[Round, Round]:
    """One at 50 a second, one as fast as it goes; what runs for the first time is left out."""
    async with lines_to(server) as lines:
        await saturated(lines, range(500), event)
        slow = await one_round(server, ear, paced(lines, range(1000, 1000 + int(seconds * RATE)), RATE, event))
        fast = await one_round(server, ear, saturated(lines, range(100_000, 100_000 + many), event))
        return slow, fast


async def one_round(server: Running, ear: Line, load: Coroutine[Any, Any, Sent]) -> Round:
    await ear.json("/forget")
    before, began = server.processor, time.monotonic()
    sent = await load
    if not sent.answered:
        raise RuntimeError("nothing was accepted, so there is nothing to measure")
    posted = await all_posted(ear, sent.answered)
    last = max((times[0] for times in posted.values()), default=began)
    waits = [(posted[number][0] - at) * 1000 for number, at in sent.began.items() if number in posted]
    cost = (server.processor - before) / max(1, len(waits)) * 1000
    return Round(waits, len(waits) / (last - began), cost, len(sent.answered.keys() - posted.keys()))


async def all_posted(ear: Line, numbers: Collection[int], patience: float = 20.0) -> dict[int, list[float]]:
    """The moments at which each card came, once all of them are there or patience is over."""
    until = time.monotonic() + patience
    while True:
        posted = {int(number): times for number, times in (await ear.json("/told"))["posted"].items()}
        if posted.keys() >= set(numbers) or time.monotonic() > until:
            return posted
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def lines_to(server: Running, count: int = CLIENTS) -> AsyncIterator[list[Line]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server.line()) for _ in range(count)]


def event(number: int) -> Request:
    """An event as a gateway tells it; another person each time, so that nothing that was made before can be used."""
    body = {
        "type": "oauth.refresh_failed",
        "severity": "high",
        "summary": f"GitHub no longer accepts the refresh token of bench-{number}",
        "source": "gateway-1",
        "dedup_key": f"bench-{number}",
        "context": {"service": "github", "user": f"dana.{number}@example.com", "error": "invalid_grant"},
    }
    return Request("/api/v1/events", json.dumps(body).encode())
