"""A replica whose machine freezes or loses its power holds nobody up for long, wherever in its work it was."""

import asyncio

import pytest

from bot.store import Store, StoreUnavailable, Tx

RAISE = "UPDATE thing SET count = count + 1"


async def test_what_a_frozen_replica_has_locked_is_free_again_and_its_half_work_undone(
    replicas: tuple[Store, Store],
) -> None:
    frozen, alive = replicas
    await alive.write(lambda tx: tx.run("CREATE TABLE thing (count INTEGER NOT NULL)"))
    await alive.write(lambda tx: tx.run("INSERT INTO thing (count) VALUES (0)"))
    holds, wakes_up = asyncio.Event(), asyncio.Event()

    async def freezing(tx: Tx) -> None:
        await tx.run(RAISE)
        holds.set()
        await wakes_up.wait()

    freezing_now = asyncio.create_task(frozen.write(freezing))
    await holds.wait()
    try:
        await alive.write(lambda tx: tx.run(RAISE))
    finally:
        wakes_up.set()
    with pytest.raises(StoreUnavailable):
        await freezing_now
    await frozen.write(lambda tx: tx.run(RAISE))
    [row] = await alive.read(lambda tx: tx.rows("SELECT count FROM thing"))
    assert row["count"] == 2
