"""What another replica puts at the same moment is found, and is nobody's failure."""

import asyncio

import asyncpg
import pytest

from bot.store import Store, Tx
from tests.patience import until

TABLE = "CREATE TABLE thing (name TEXT PRIMARY KEY)"
WAITING = "SELECT 1 AS yes FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def put(tx: Tx) -> None:
    await tx.run("INSERT INTO thing (name) VALUES ('a')")


async def put_unless_there(tx: Tx) -> bool:
    if await tx.row("SELECT 1 AS yes FROM thing WHERE name = 'a'"):
        return False
    await put(tx)
    return True


async def fail(tx: Tx) -> None:
    raise ValueError("no")


async def test_what_is_put_there_while_it_is_looked_for_here_beside_a_failure_is_found(
    replicas: tuple[Store, Store],
) -> None:
    here, there = replicas
    await here.write(lambda tx: tx.run(TABLE))
    is_put, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx) -> None:
        await put(tx)
        is_put.set()
        await go_on.wait()

    async def is_held_up() -> bool:
        return await there.read(lambda tx: tx.row(WAITING)) is not None

    first = asyncio.create_task(there.write(slowly))
    await is_put.wait()
    beside = asyncio.create_task(here.write(fail))  # in one group, which so fails as a whole and is run one by one
    second = asyncio.create_task(here.write(put_unless_there))
    await until(is_held_up, "the second to wait for the first")
    go_on.set()
    await first
    with pytest.raises(ValueError, match="no"):
        await beside
    assert await second is False


async def test_what_is_there_already_goes_on_being_a_failure(replicas: tuple[Store, Store]) -> None:
    here, there = replicas
    await here.write(lambda tx: tx.run(TABLE))
    await here.write(put)
    with pytest.raises(asyncpg.UniqueViolationError):
        await there.write(put)
