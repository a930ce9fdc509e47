"""Both databases keep the same promises."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from bot.store import DOUBLE, INTEGER, TEXT, Bulk, Store, StoreUnavailable, Tx, Write, open_store
from tests.conftest import postgres_execute


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = (
        f"sqlite:///{tmp_path / 'g.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    )
    opened = open_store(url)
    await opened.start()
    await opened.write(lambda tx: tx.run("CREATE TABLE thing (name TEXT PRIMARY KEY, count INTEGER NOT NULL)"))
    yield opened
    await opened.stop()


async def names(store: Store) -> set[str]:
    return {row["name"] for row in await store.read(lambda tx: tx.rows("SELECT name FROM thing"))}


async def put(tx: Tx, name: str) -> None:
    await tx.run("INSERT INTO thing (name, count) VALUES (:name, 0)", {"name": name})


async def test_what_was_written_can_be_read(store: Store) -> None:
    await store.write(lambda tx: put(tx, "a"))
    assert await names(store) == {"a"}


async def test_a_failing_job_undoes_itself_and_not_its_neighbours(store: Store) -> None:
    async def bad(tx: Tx) -> None:
        await put(tx, "half")
        raise ValueError("no")

    results = await asyncio.gather(
        store.write(lambda tx: put(tx, "a")),
        store.write(bad),
        store.write(lambda tx: put(tx, "b")),
        return_exceptions=True,
    )
    assert isinstance(results[1], ValueError)
    assert await names(store) == {"a", "b"}


THING = Bulk.insert("thing", {"name": TEXT, "count": INTEGER})
RAISE = Bulk(
    "UPDATE thing SET count = thing.count + r.count FROM {rows} WHERE thing.name = r.name"
    " RETURNING thing.name AS id, thing.count AS count",
    {"name": TEXT, "count": INTEGER},
    returning=True,
)


async def test_writes_of_many_are_all_there_and_each_hears_of_its_own(store: Store) -> None:
    await asyncio.gather(*(store.put(Write(THING, [(f"a{each}", each), (f"b{each}", each)])) for each in range(50)))
    heard = await asyncio.gather(*(store.put(Write(RAISE, [(f"a{each}", 1)])) for each in range(60)))
    assert [[row["count"] for row in rows] for rows in heard] == [[each + 1] for each in range(50)] + [[]] * 10
    assert len(await names(store)) == 100


LOWER = Bulk(
    "UPDATE thing SET count = thing.count - r.count FROM {rows} WHERE thing.name = r.name"
    " RETURNING thing.name AS id, -thing.count AS count",
    {"name": TEXT, "count": INTEGER},
    returning=True,
)


async def test_two_statements_over_the_same_names_are_not_taken_for_each_other(store: Store) -> None:
    await store.put(Write(THING, [("a", 5)]))
    raised, lowered = await asyncio.gather(store.put(Write(RAISE, [("a", 1)])), store.put(Write(LOWER, [("a", 2)])))
    assert ([row["count"] for row in raised], [row["count"] for row in lowered]) == ([6], [-4])


async def test_a_write_without_rows_does_nothing(store: Store) -> None:
    assert await store.put(Write(THING, [])) == []
    assert await store.write(lambda tx: tx.bulk(RAISE, [])) == []


async def test_a_write_that_fails_takes_back_all_of_its_own_and_nothing_of_others(store: Store) -> None:
    await store.put(Write(THING, [("taken", 0)]))
    results = await asyncio.gather(
        store.put(Write(THING, [("a", 0)])),
        store.put(Write(THING, [("half", 0), ("taken", 0)])),
        store.write(lambda tx: put(tx, "b")),
        return_exceptions=True,
    )
    assert [isinstance(each, Exception) for each in results] == [False, True, False]
    assert await names(store) == {"taken", "a", "b"}


@pytest.mark.parametrize(
    "text", ["", "it's", 'a "quote"', "\\", "null", "{}", "[1]", "12", "é 🚪 \u202e", "\n\t", "x" * 70_000]
)
async def test_a_text_is_kept_to_the_letter(store: Store, text: str) -> None:
    await store.put(Write(THING, [(text, 1)]))
    assert await names(store) == {text}


@pytest.mark.parametrize("text", ["a\0b", "\0", "\\u0000\0", "half \ud83d"])
async def test_a_text_that_would_not_be_kept_whole_is_refused_and_its_neighbours_are_kept(
    store: Store, text: str
) -> None:
    results = await asyncio.gather(
        store.put(Write(THING, [("before", 1)])),
        store.put(Write(THING, [(text, 1)])),
        store.put(Write(THING, [("\\u0000", 1)])),
        return_exceptions=True,
    )
    assert [isinstance(each, Exception) for each in results] == [False, True, False]
    assert not isinstance(results[1], StoreUnavailable)
    assert await names(store) == {"before", "\\u0000"}


async def test_a_question_that_no_database_understands_says_nothing_about_the_database(store: Store) -> None:
    with pytest.raises(Exception) as raised:
        await store.read(lambda tx: tx.rows("SELECT name FROM thing WHERE name = :name", {"name": "half \ud83d"}))
    assert not isinstance(raised.value, StoreUnavailable)
    assert await names(store) == set()


@pytest.mark.parametrize("number", [0.0, 0.1, 1763700000.123456, 1e-9, -2.5, 4.0])
async def test_a_number_is_kept_exactly(store: Store, number: float) -> None:
    await store.write(lambda tx: tx.run("CREATE TABLE moment (id TEXT PRIMARY KEY, at DOUBLE PRECISION)"))
    moments = Bulk.insert("moment", {"id": TEXT, "at": DOUBLE})
    await store.put(Write(moments, [("known", number), ("unknown", None)]))
    rows = await store.read(lambda tx: tx.rows("SELECT at FROM moment ORDER BY id"))
    assert [row["at"] for row in rows] == [number, None]


async def test_many_writers_at_once_lose_no_update(store: Store) -> None:
    await store.write(lambda tx: put(tx, "a"))
    await asyncio.gather(
        *(store.write(lambda tx: tx.run("UPDATE thing SET count = count + 1 WHERE name = 'a'")) for _ in range(100))
    )
    rows = await store.read(lambda tx: tx.rows("SELECT count FROM thing"))
    assert rows[0]["count"] == 100


async def test_replicas_that_lock_the_same_rows_crosswise_both_have_their_way(postgres_database: str) -> None:
    here, there = open_store(postgres_database), open_store(postgres_database)
    await here.start()
    await there.start()
    try:
        await here.write(lambda tx: tx.run("CREATE TABLE thing (name TEXT PRIMARY KEY, count INTEGER NOT NULL)"))
        for name in ("a", "b"):
            await here.write(partial(put, name=name))

        async def both(tx: Tx, first: str, second: str) -> None:
            for name in (first, second):
                await tx.run("UPDATE thing SET count = count + 1 WHERE name = :name", {"name": name})
                await tx.rows("SELECT pg_sleep(0.3)")

        await asyncio.gather(here.write(lambda tx: both(tx, "a", "b")), there.write(lambda tx: both(tx, "b", "a")))
        rows = await here.read(lambda tx: tx.rows("SELECT count FROM thing"))
        assert [row["count"] for row in rows] == [2, 2]
    finally:
        await here.stop()
        await there.stop()


async def test_the_number_of_changed_rows_is_told(store: Store) -> None:
    await store.write(lambda tx: put(tx, "a"))
    assert await store.write(lambda tx: tx.run("UPDATE thing SET count = 1 WHERE name = :n", {"n": "a"})) == 1
    assert await store.write(lambda tx: tx.run("UPDATE thing SET count = 1 WHERE name = :n", {"n": "z"})) == 0


async def test_what_is_read_while_the_store_closes_is_read_or_unavailable(store: Store) -> None:
    """Until it is closed and a little longer: no reader sees the driver's own errors."""
    stopping, reads = asyncio.create_task(store.stop()), []
    while not stopping.done():
        reads.append(asyncio.create_task(names(store)))
        await asyncio.sleep(0)
    ends = await asyncio.gather(*reads, names(store), return_exceptions=True)
    assert [end for end in ends if not isinstance(end, set | StoreUnavailable)] == []
    assert isinstance(ends[-1], StoreUnavailable)


async def test_a_store_that_is_being_closed_takes_nothing_more_and_ends_what_it_has_taken(store: Store) -> None:
    taken = asyncio.create_task(store.write(lambda tx: put(tx, "taken")))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(store.stop())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(store.write(lambda tx: put(tx, "late")), 5)
    await asyncio.gather(taken, stopping)


async def test_a_database_that_takes_no_connection_more_is_unavailable_to_whoever_reads(postgres_database: str) -> None:
    guest = f"guest_{uuid4().hex}"
    postgres_execute(postgres_database, f"CREATE ROLE {guest} LOGIN")
    store = open_store(postgres_database.replace("postgres:@", f"{guest}:@"))
    await store.start()
    postgres_execute(postgres_database, f"ALTER ROLE {guest} CONNECTION LIMIT 0")
    gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    postgres_execute(postgres_database, f"{gone} AND pid <> pg_backend_pid()")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.read(lambda tx: tx.row("SELECT 1 AS one"))
    postgres_execute(postgres_database, f"ALTER ROLE {guest} NOLOGIN CONNECTION LIMIT -1")
    with pytest.raises(StoreUnavailable):
        await store.read(lambda tx: tx.row("SELECT 1 AS one"))
    postgres_execute(postgres_database, f"ALTER ROLE {guest} LOGIN")
    assert await store.read(lambda tx: tx.row("SELECT 1 AS one"))
    await store.stop()
