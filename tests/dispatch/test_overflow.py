"""What is put together when more waits for one reader than its platform takes, and what stays alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.contract import Reader, ReaderKind
from bot.dispatch import leases, outbox, overflow
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.overflow import CROWD, SHOWN
from bot.ids import new_id
from bot.links import Links
from bot.store import Store, Tx, open_store
from bot.store.migrate import bring_up_to_date
from interactions import codec
from interactions.card import Card, Severity

LINKS = Links([bytes(32)])
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def put(
    store: Store,
    count: int,
    *,
    severity: Severity = Severity.LOW,
    title: str = "",
    asks: str = "",
    who: str = "ana",
    link: str = "",
    chain: tuple[str, ...] = ("slack", "email"),
) -> None:
    async def job(tx: Tx) -> None:
        for number in range(count):
            card = Card(title or f"Notice {number}", severity=severity, link=link)
            post = NewPost(new_id(AT), card, {}, interaction_id=asks)
            await outbox.put_post(tx, post, AT)
            copy = NewDelivery(new_id(AT), Reader(ReaderKind.OPERATOR, who), chain)
            await outbox.put_deliveries(tx, post, [copy], AT)

    await store.write(job)


async def group(store: Store, after: float = 0) -> bool:
    at = AT + timedelta(seconds=after)
    return await store.write(lambda tx: overflow.group(tx, "slack", "ana", at)) is not None


async def waiting(store: Store) -> list[Card]:
    sql = "SELECT p.card FROM post p JOIN delivery d ON d.ref = p.ref WHERE d.state = 'open' ORDER BY d.rank"
    rows = await store.read(lambda tx: tx.rows(sql))
    return [codec.load_card(row["card"]) for row in rows]


async def test_a_few_are_left_alone(store: Store) -> None:
    await put(store, CROWD - 1)
    assert not await group(store)
    assert len(await waiting(store)) == CROWD - 1


async def test_a_crowd_becomes_one_card_that_counts_them(store: Store) -> None:
    await put(store, CROWD, severity=Severity.LOW)
    await put(store, 3, severity=Severity.MEDIUM)
    assert await group(store)
    [digest] = await waiting(store)
    assert digest.title == f"{CROWD + 3} notices at once"
    assert digest.severity is Severity.MEDIUM
    assert set(digest.facts) == {("Medium", "3"), ("Low", str(CROWD))}


async def test_what_happened_often_is_named_first_and_the_rest_is_counted(store: Store) -> None:
    await put(store, 3, title="The same")
    await put(store, CROWD + SHOWN)
    await group(store)
    [digest] = await waiting(store)
    lines = [line for line in digest.text.splitlines() if line.startswith("- ")]
    assert lines[0] == "- 3 times: The same"
    assert len(lines) == SHOWN + 1
    assert lines[-1].endswith("more kinds")


async def test_critical_ones_and_questions_stay_alone(store: Store) -> None:
    await put(store, CROWD)
    await put(store, 2, severity=Severity.CRITICAL, title="The house burns")
    await put(store, 2, asks="q", title="May I?")
    await group(store)
    titles = sorted(each.title for each in await waiting(store))
    assert titles == sorted([f"{CROWD} notices at once", "May I?", "May I?", "The house burns", "The house burns"])


async def test_a_link_that_signs_in_stays_alone(store: Store) -> None:
    await put(store, CROWD)
    await put(store, 1, title="Sign in", link=LINKS.seal("https://gatebell.example/login/secret"))
    await group(store)
    assert sorted(each.title for each in await waiting(store)) == [f"{CROWD} notices at once", "Sign in"]


async def test_what_may_go_one_way_alone_stays_alone_and_takes_no_way_from_the_others(store: Store) -> None:
    await put(store, 1, severity=Severity.HIGH, title="A test of Slack", chain=("slack",))
    await put(store, CROWD)
    await group(store)
    sql = "SELECT p.card, d.chain FROM post p JOIN delivery d ON d.ref = p.ref WHERE d.state = 'open' ORDER BY d.rank"
    rows = await store.read(lambda tx: tx.rows(sql))
    assert [(codec.load_card(row["card"]).title, row["chain"]) for row in rows] == [
        ("A test of Slack", '["slack"]'),
        (f"{CROWD} notices at once", '["slack","email"]'),
    ]


async def test_a_link_that_signs_in_goes_before_the_digest(store: Store) -> None:
    await put(store, CROWD)
    await put(store, 1, severity=Severity.INFO, link=LINKS.seal("https://gatebell.example/login/secret"))
    booked = (AT + timedelta(minutes=5)).timestamp()
    await store.write(lambda tx: tx.run("UPDATE delivery SET due_at = :at, slot = :at", {"at": booked}))
    await group(store)
    first = "SELECT p.card FROM post p JOIN delivery d ON d.ref = p.ref WHERE d.state = 'open' AND d.due_at <= :at"
    [row] = await store.read(lambda tx: tx.rows(first, {"at": AT.timestamp()}))
    assert codec.load_card(row["card"]).title == "Notice 0"


async def test_links_that_sign_in_are_no_crowd(store: Store) -> None:
    await put(store, CROWD, link=LINKS.seal("https://gatebell.example/login/secret"))
    assert not await group(store)


@pytest.mark.parametrize("link", ["https://monitor.example/alerts/7", "ssh://monitor.example"])
async def test_a_notice_with_an_ordinary_link_is_put_together_with_the_rest(store: Store, link: str) -> None:
    await put(store, CROWD, link=link)
    assert await group(store)


async def test_what_is_being_sent_now_is_not_put_together_with_the_rest(store: Store) -> None:
    await put(store, CROWD + 5)
    await store.write(lambda tx: leases.claim(tx, "one", {"slack": 5}, AT))
    await group(store)
    assert len(await waiting(store)) == 5 + 1


async def test_another_readers_notices_are_not_touched(store: Store) -> None:
    await put(store, CROWD)
    await put(store, 2, who="ben", title="For Ben")
    await group(store)
    assert [each.title for each in await waiting(store)].count("For Ben") == 2


async def test_a_digest_that_waits_itself_counts_as_what_it_tells(store: Store) -> None:
    await put(store, CROWD)
    await group(store)
    await put(store, CROWD)
    await group(store, after=1)
    assert [each.title for each in await waiting(store)] == [f"{2 * CROWD} notices at once"]


async def test_one_that_cannot_be_read_keeps_no_other_from_being_told(store: Store) -> None:
    await put(store, CROWD + 1)
    damage = "UPDATE post SET card = '[' WHERE ref = (SELECT MIN(ref) FROM post)"
    await store.write(lambda tx: tx.run(damage))
    assert await group(store)
    _, aside = await store.write(lambda tx: leases.claim(tx, "one", {"slack": 5}, AT + timedelta(seconds=2)))
    assert len(aside) == 1


async def test_words_of_others_are_no_markup_of_ours(store: Store) -> None:
    await put(store, CROWD, title="[click](https://evil.example) *now*")
    await group(store)
    [digest] = await waiting(store)
    assert "[click](" not in digest.text


async def test_two_replicas_put_one_crowd_together_once(postgres_database: str) -> None:
    async with two_replicas(postgres_database) as (here, there):
        for _ in range(5):
            await put(here, CROWD * 2)
            grouped = await asyncio.gather(group(here), group(there))
            assert len(await waiting(here)) == 1
            assert any(grouped)
            await here.write(lambda tx: tx.run("UPDATE delivery SET state = 'done' WHERE state = 'open'"))


async def test_what_another_replica_sends_already_is_not_in_the_digest(postgres_database: str) -> None:
    async with two_replicas(postgres_database) as (here, there):
        await put(here, CROWD * 2)
        claimed, grouped = await asyncio.gather(
            here.write(lambda tx: leases.claim(tx, "here", {"slack": CROWD}, AT)), group(there)
        )
        rows = await here.read(lambda tx: tx.rows("SELECT id, state, lease FROM delivery"))
    sent = {each.id for each in claimed[0]}
    assert {row["state"] for row in rows if row["id"] in sent} <= {"open"}
    assert grouped or sent


@asynccontextmanager
async def two_replicas(url: str) -> AsyncIterator[tuple[Store, Store]]:
    await bring_up_to_date(url)
    here, there = open_store(url), open_store(url)
    await here.start()
    await there.start()
    try:
        yield here, there
    finally:
        await here.stop()
        await there.stop()
