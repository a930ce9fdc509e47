"""How long a thread stood in line for a processor: what other programs take of a busy machine is no fault of ours."""

import asyncio
from pathlib import Path

OF_THIS_THREAD = Path("/proc/thread-self/schedstat")


def stood_in_line() -> float:
    """Seconds so far in which this thread could have run and no processor was free; only Linux tells, elsewhere 0.

    https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        _, waited, _ = OF_THIS_THREAD.read_text().split()
    except FileNotFoundError:
        return 0.0
    return int(waited) / 1e9


async def late_after(seconds: float) -> float:
    """Sleep so long: how late the event loop was then, beside what its thread stood in line."""
    loop = asyncio.get_running_loop()
    began, line = loop.time(), stood_in_line()
    await asyncio.sleep(seconds)
    return loop.time() - began - seconds - (stood_in_line() - line)
