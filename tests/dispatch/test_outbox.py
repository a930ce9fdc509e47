"""The outbox: what presses goes first, a lease belongs to one worker, and only its holder writes the result."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.contract import Reader, ReaderKind, Receipt
from bot.dispatch import leases, outbox
from bot.dispatch.leases import Claim, Kept
from bot.dispatch.outbox import LEASE_SECONDS, NewDelivery, NewPost, State
from bot.ids import new_id
from bot.store import Store, Tx
from interactions.card import Card, Severity

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROOM = {"slack": 10}


async def put(
    store: Store, title: str = "x", severity: Severity = Severity.MEDIUM, question: str = "", after: float = 0
) -> str:
    at = AT + timedelta(seconds=after)
    post = NewPost(new_id(at), Card(title, severity=severity), {}, interaction_id=question)
    copy = NewDelivery(new_id(at), Reader(ReaderKind.OPERATOR, "ana"), ("slack", "email"))

    async def job(tx: Tx) -> None:
        await outbox.put_post(tx, post, at)
        await outbox.put_deliveries(tx, post, [copy], at)

    await store.write(job)
    return post.ref


async def claimed(store: Store, lease: str = "one", after: float = 0, room: int = 10) -> list[Claim]:
    at = AT + timedelta(seconds=after)
    claims, _ = await store.write(lambda tx: leases.claim(tx, lease, {"slack": room}, at))
    return claims


def shown(claim: Claim, message: str = "1") -> Kept:
    return Kept(claim, (), claim.version, Receipt("slack", "D1", message), 0, State.DONE)


async def keep(store: Store, kept: Kept) -> str:
    return await store.write(lambda tx: leases.keep(tx, kept, AT))


async def state(store: Store) -> list[str]:
    rows = await store.read(lambda tx: tx.rows("SELECT state FROM delivery ORDER BY id"))
    return [row["state"] for row in rows]


async def test_the_gravest_goes_first_and_a_question_before_a_notice(store: Store) -> None:
    await put(store, "a notice", Severity.HIGH)
    await put(store, "a question", Severity.HIGH, question="q")
    await put(store, "the house burns", Severity.CRITICAL)
    assert [each.card.title for each in await claimed(store)] == ["the house burns", "a question", "a notice"]


async def test_where_there_is_little_room_the_gravest_is_taken_though_it_came_last(store: Store) -> None:
    await put(store, "a notice", Severity.LOW)
    await put(store, "a question", Severity.HIGH, question="q", after=1)
    await put(store, "the house burns", Severity.CRITICAL, after=2)
    taken = [[each.card.title for each in await claimed(store, after=3, room=1)] for _ in range(3)]
    assert taken == [["the house burns"], ["a question"], ["a notice"]]


async def test_no_more_is_taken_than_there_is_room_for(store: Store) -> None:
    for _ in range(3):
        await put(store)
    assert len(await claimed(store, room=2)) == 2
    assert len(await claimed(store, room=0)) == 0


async def test_what_one_holds_another_cannot_take(store: Store) -> None:
    await put(store)
    assert len(await claimed(store, "one")) == 1
    assert await claimed(store, "two") == []


async def test_a_lease_that_runs_out_is_taken_over_and_its_old_holder_writes_nothing_any_more(store: Store) -> None:
    await put(store)
    [late] = await claimed(store, "one")
    [taken] = await claimed(store, "two", after=LEASE_SECONDS)
    assert await keep(store, shown(taken, "of two"))
    assert not await keep(store, shown(late, "of one"))
    [row] = await store.read(lambda tx: tx.rows("SELECT receipt FROM delivery"))
    assert "of two" in row["receipt"]


async def test_a_lease_that_is_renewed_is_not_taken_over(store: Store) -> None:
    await put(store)
    [held] = await claimed(store, "one")
    later = AT + timedelta(seconds=LEASE_SECONDS - 1)
    await store.put(leases.renewed([held.id], "one", later))
    assert await claimed(store, "two", after=LEASE_SECONDS) == []


async def test_nobody_renews_what_another_has_taken_over(store: Store) -> None:
    await put(store)
    [held] = await claimed(store, "one")
    await claimed(store, "two", after=LEASE_SECONDS)
    late = AT + timedelta(hours=1)
    await store.put(leases.renewed([held.id], "one", late))
    assert len(await claimed(store, "three", after=3 * LEASE_SECONDS)) == 1


async def test_what_changed_while_it_was_being_shown_is_open_again(store: Store) -> None:
    ref = await put(store)
    [claim] = await claimed(store)
    await store.write(lambda tx: outbox.raise_version(tx, ref, Card("decided"), {}, AT))
    await keep(store, shown(claim))
    assert await state(store) == ["open"]
    [again] = await claimed(store)
    assert (again.card.title, again.version, again.shown) == ("decided", 1, 0)


async def test_what_is_decided_before_it_was_sent_goes_out_decided(store: Store) -> None:
    ref = await put(store)
    await store.write(lambda tx: outbox.raise_version(tx, ref, Card("decided"), {}, AT))
    [claim] = await claimed(store)
    await keep(store, shown(claim))
    assert (claim.card.title, await state(store)) == ("decided", ["done"])


async def test_a_copy_that_was_given_up_is_not_opened_again_by_a_change(store: Store) -> None:
    ref = await put(store)
    [claim] = await claimed(store)
    await keep(store, Kept(claim, (), -1, None, 0, State.FAILED, reason="refused"))
    await store.write(lambda tx: outbox.raise_version(tx, ref, Card("decided"), {}, AT))
    assert await state(store) == ["failed"]


@pytest.mark.parametrize(
    "damage", ["card = '['", "card = '{}'", "record = '['"], ids=["no JSON", "no card", "no record"]
)
async def test_a_row_that_cannot_be_read_is_closed_and_the_next_is_given_out(store: Store, damage: str) -> None:
    broken = await put(store, "broken")
    await put(store, "sound")
    sql = f"UPDATE post SET {damage} WHERE ref = :ref"  # noqa: S608 - written above
    await store.write(lambda tx: tx.run(sql, {"ref": broken}))
    claims, aside = await store.write(lambda tx: leases.claim(tx, "one", ROOM, AT))
    assert [each.card.title for each in claims] == ["sound"]
    assert [each.ref for each in aside] == [broken]
    assert sorted(await state(store)) == ["failed", "open"]


async def test_a_process_that_is_alone_takes_up_at_once_what_a_dead_one_held(store: Store) -> None:
    await put(store)
    await claimed(store, "dead")
    await store.write(leases.release_all)
    assert len(await claimed(store, "alive")) == 1
