"""What an event costs, part by part: each kind of request goes one step further than the one before it.

The steps run in turns, several times over, and the best of each counts: on a small machine the others are in its way.
"""

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery import event, lines_to
from benchmarks.load import Request, saturated
from benchmarks.measure import Measure
from benchmarks.processes import Running, helper, product, slack_settings

TURNS = 3


@dataclass(frozen=True)
class Step:
    """`rate` in answered requests a second, `cost` in milliseconds of processor until all that they began has ended."""

    rate: float
    cost: float


async def measured(quick: bool) -> list[Measure]:
    many = 2_000 if quick else 8_000
    with (
        tempfile.TemporaryDirectory(prefix="gatebell-bench-", dir=Path.cwd()) as folder,
        tempfile.TemporaryDirectory(prefix="gatebell-bench-", dir=Path.cwd()) as another,
        helper("sink") as sink,
        helper("floor", sink.address) as bare,
        helper("least", sink.address, folder) as least,
        helper("least", sink.address, another, "sdk") as checked,
    ):
        told = slack_settings(sink)
        untold = {**told, "EVENTS_DISABLED": "oauth.refresh_failed"}
        async with contextlib.AsyncExitStack() as stack:
            full = await stack.enter_async_context(product(told))
            quiet = await stack.enter_async_context(product(untold))
            steps = await _in_turns(
                many,
                {
                    "forwarded by the floor": (bare, event),
                    "a request that does nothing": (full, lambda _: Request("/healthz", b"")),
                    "an event that is stored, and told to nobody": (quiet, event),
                    "the least that stores and shows": (least, event),
                    "the same, its blocks made by slack_sdk's models": (checked, event),
                    "an event that is stored and shown": (full, event),
                },
            )
    floor = steps["forwarded by the floor"]
    return [
        measure
        for name, step in steps.items()
        for measure in (
            Measure(name, "/s", step.rate, floor.rate),
            Measure("    processor for each", "ms", step.cost, floor.cost),
        )
    ]


async def _in_turns(many: int, steps: Mapping[str, tuple[Running, Callable[[int], Request]]]) -> dict[str, Step]:
    best: dict[str, Step] = {}
    starts = itertools.count(0, many)  # a number is sent once, so that nothing is held back as said before
    for name in list(steps) * (TURNS + 1):  # the first turn only warms up
        step = await _step(*steps[name], range(start := next(starts), start + many))
        best[name] = step if start < many * len(steps) or step.cost < best[name].cost else best[name]
    return best


async def _step(server: Running, send: Callable[[int], Request], numbers: range) -> Step:
    async with lines_to(server) as lines:
        before, began = server.processor, time.monotonic()
        sent = await saturated(lines, numbers, send)
        took = time.monotonic() - began
        if len(sent.answered) < len(numbers):
            raise RuntimeError(f"only {len(sent.answered)} of {len(numbers)} requests were taken")
        return Step(len(numbers) / took, (await _settled(server) - before) / len(numbers) * 1000)


async def _settled(server: Running) -> float:
    """The processor used, once what was accepted has been sent and the server rests."""
    used = server.processor
    while True:
        await asyncio.sleep(0.3)
        used, before = server.processor, used
        if used - before < 0.03:
            return used
