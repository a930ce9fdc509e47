"""How far this process's clock is from the database's, by which replicas can compare themselves.

Leases hang on each replica's own clock: one that is far ahead takes for abandoned what another one is just sending.
"""

from collections.abc import Callable
from datetime import datetime

from bot.store import Store

MUCH = 2.0  # seconds


async def measure(store: Store, now: Callable[[], datetime]) -> float:
    """Seconds by which this process is ahead of PostgreSQL; negative where it is behind. Raises StoreUnavailable."""
    before = now()
    row = await store.read(lambda tx: tx.row("SELECT EXTRACT(EPOCH FROM clock_timestamp()) AS at"))
    return ahead(before.timestamp(), float(row["at"]) if row else before.timestamp(), now().timestamp())


def ahead(before: float, at: float, after: float) -> float:
    """At the least: the other clock was read some time between `before` and `after`, so what fits in is no fault."""
    if at < before:
        return before - at
    return min(0.0, after - at)


def words(seconds: float) -> str:
    return f"this machine is {abs(seconds):.0f} seconds {'ahead of' if seconds > 0 else 'behind'} the database"
