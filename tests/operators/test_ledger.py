import asyncio

import pytest

from bot.audit.ledger import Ledger
from bot.audit.verdict import Anchoring, Trouble, judge
from bot.logs import HIDDEN
from bot.signing import derive
from bot.store import Store, Tx
from tests.operators.conftest import Clock

PUT_BEFORE = "INSERT INTO audit SELECT -7, at, actor, on_behalf, action, subject, place, detail, mac FROM audit LIMIT 1"
PUT_BEHIND = "INSERT INTO audit SELECT 6, at, actor, on_behalf, action, subject, place, detail, mac FROM audit LIMIT 1"


@pytest.fixture
async def five(ledger: Ledger, clock: Clock) -> Ledger:
    """A log of five entries."""
    for number in range(1, 6):
        await ledger.write(clock(), "cli", "thing.done", f"thing {number}", detail={"n": number})
    return ledger


async def first_wrong(ledger: Ledger) -> int:
    """The first entry that is not as it was written or is missing, by the database alone; 0 where all is well."""
    verdict = judge(await ledger.look(), None, Anchoring.MISSING)
    assert (verdict.trouble is None) == (verdict.entry == 0), verdict
    return verdict.entry


async def test_an_untouched_log_is_right(five: Ledger) -> None:
    assert await first_wrong(five) == 0


@pytest.mark.parametrize(
    "sql, first",
    [
        ("UPDATE audit SET subject = 'another thing' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)", 2),
        ("UPDATE audit_head SET seq = 4, mac = (SELECT mac FROM audit WHERE seq = 4)", 6),
        ("DELETE FROM audit_head", 6),
        (PUT_BEFORE, 1),
        (PUT_BEHIND, 6),
    ],
)
async def test_the_first_wrong_entry_is_named(five: Ledger, store: Store, sql: str, first: int) -> None:
    async def tamper(tx: Tx) -> None:
        await tx.run(sql)

    await store.write(tamper)
    assert await first_wrong(five) == first


async def test_a_tail_that_was_cut_with_its_head_is_still_missed(five: Ledger, store: Store) -> None:
    async def cut(tx: Tx) -> None:
        await tx.run("DELETE FROM audit WHERE seq = 5")
        await tx.run("UPDATE audit_head SET seq = 4, mac = (SELECT mac FROM audit WHERE seq = 4)")

    await store.write(cut)
    assert await first_wrong(five) == 5


async def test_an_end_that_was_put_back_does_not_hide_what_stands_behind_it(
    five: Ledger, store: Store, clock: Clock
) -> None:
    head = await store.read(lambda tx: tx.row("SELECT * FROM audit_head"))
    await five.write(clock(), "cli", "thing.done", "thing 6")
    sql = "UPDATE audit_head SET seq = :seq, mac = :mac, seal = :seal"
    await store.write(lambda tx: tx.run(sql, {name: (head or {})[name] for name in ("seq", "mac", "seal")}))
    assert judge(await five.look(), None, Anchoring.MISSING).trouble is Trouble.HEAD


async def test_a_log_that_grows_while_it_is_read_is_right(five: Ledger, clock: Clock) -> None:
    growing = asyncio.gather(*(five.write(clock(), "cli", "thing.done", str(number)) for number in range(300)))
    seen = [await first_wrong(five) for _ in range(20)]
    await growing
    assert seen == [0] * 20


async def test_an_entry_of_another_past_does_not_fit(five: Ledger, store: Store, clock: Clock) -> None:
    async def cut(tx: Tx) -> None:
        await tx.run("DELETE FROM audit WHERE seq > 3")
        await tx.run("DELETE FROM audit_head")
        await tx.run(
            "INSERT INTO audit_head (id, seq, mac, seal) SELECT 1, 3, mac, 'from a backup' FROM audit WHERE seq = 3"
        )

    async def put_back(tx: Tx) -> None:
        sql = "UPDATE audit SET subject = :subject, detail = :detail, mac = :mac, at = :at WHERE seq = 4"
        await tx.run(sql, fourth)

    entries = await store.read(lambda tx: tx.rows("SELECT * FROM audit WHERE seq = 4"))
    fourth = {name: entries[0][name] for name in ("subject", "detail", "mac", "at")}
    await store.write(cut)
    for number in (4, 5):
        await five.write(clock(), "cli", "thing.done", f"another thing {number}")
    assert await first_wrong(five) == 0
    await store.write(put_back)
    assert await first_wrong(five) == 5


async def test_what_was_written_under_an_older_secret_still_fits(five: Ledger, store: Store, clock: Clock) -> None:
    rotated = Ledger(store, derive("a newer secret of ours,a secret of sixteen", "audit"))
    await rotated.write(clock(), "cli", "thing.done")
    assert await first_wrong(rotated) == 0


async def test_what_was_written_under_a_foreign_secret_does_not(five: Ledger, store: Store) -> None:
    assert await first_wrong(Ledger(store, derive("somebody else's secret", "audit"))) == 1


async def test_entries_made_at_once_stand_in_one_order(ledger: Ledger, clock: Clock) -> None:
    await asyncio.gather(*(ledger.write(clock(), "cli", "thing.done", str(number)) for number in range(50)))
    assert [entry.seq for entry in await ledger.list(limit=100)] == list(range(50, 0, -1))
    assert await first_wrong(ledger) == 0


async def test_no_secret_gets_into_an_entry(ledger: Ledger, clock: Clock) -> None:
    await ledger.write(clock(), "cli", "config.set", detail={"SLACK_BOT_TOKEN": "abc", "words": "with xoxb-1-2"})
    assert [entry.detail for entry in await ledger.list()] == [{"SLACK_BOT_TOKEN": HIDDEN, "words": f"with {HIDDEN}"}]


async def test_a_line_break_or_nul_does_not_get_into_an_entry(ledger: Ledger, clock: Clock) -> None:
    await ledger.write(clock(), "cli", "thing.done", "one\r\ntwo\0three")
    assert [entry.subject for entry in await ledger.list()] == ["one  two three"]


async def test_the_log_is_read_page_by_page_and_by_subject(five: Ledger) -> None:
    first = await five.list(limit=2)
    rest = await five.list(limit=10, before=first[-1].seq)
    assert [entry.seq for entry in (*first, *rest)] == [5, 4, 3, 2, 1]
    assert [entry.seq for entry in await five.list(subject="thing 2")] == [2]
