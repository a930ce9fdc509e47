"""Kill the server under load, again and again: whatever was answered with 2xx arrives after the restart."""

import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path

from benchmarks.delivery import all_posted, event
from benchmarks.load import Line
from benchmarks.measure import Measure
from benchmarks.processes import Installation, Running, helper, slack_settings

CLIENTS = 8
BROKEN = (OSError, asyncio.IncompleteReadError, ValueError)


async def measured(quick: bool) -> list[Measure]:
    kills, seconds = (2, 1.0) if quick else (10, 2.0)
    accepted: set[int] = set()
    with helper("sink") as sink, tempfile.TemporaryDirectory(prefix="gatebell-bench-", dir=Path.cwd()) as folder:
        installation = Installation(Path(folder), slack_settings(sink))
        for kill in range(kills):
            running = await installation.start()
            accepted |= await _until_killed(running, 1_000_000 * (kill + 1), seconds)
        running = await installation.start()
        async with sink.line() as ear:
            posted = await all_posted(ear, accepted, patience=60.0)
        running.stop()
    twice = sum(len(times) > 1 for number, times in posted.items())
    return [
        Measure(f"lost by {kills} times kill -9", "cards", float(len(accepted - posted.keys())), most=0),
        Measure("accepted in all", "cards", float(len(accepted))),
        Measure("shown twice, each in flight when killed", "cards", float(twice)),
    ]


async def _until_killed(running: Running, first: int, seconds: float) -> set[int]:
    """What was accepted of a load that lasts until the server is gone."""
    accepted: set[int] = set()
    numbers = iter(range(first, first + 1_000_000))

    async def load() -> None:
        with contextlib.suppress(*BROKEN):
            async with running.line() as line:
                for number in numbers:
                    await _accepted(line, number, accepted)

    clients = [asyncio.create_task(load()) for _ in range(CLIENTS)]
    await asyncio.sleep(seconds)
    running.stop(signal.SIGKILL)
    await asyncio.gather(*clients)
    return accepted


async def _accepted(line: Line, number: int, accepted: set[int]) -> None:
    request = event(number)
    status, _ = await line.call(request.path, request.body)
    if status == 202:
        accepted.add(number)
