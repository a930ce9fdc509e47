"""Two replicas over one database: whatever ends a question does so once, and nobody waits crosswise for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.audit.ledger import Ledger
from bot.channels.contract import Receipt
from bot.clock import MovableClock
from bot.dispatch import leases, outbox
from bot.dispatch.again import send_again
from bot.dispatch.asking import put_pending
from bot.dispatch.leases import Claim, Kept
from bot.dispatch.notice import Ask
from bot.dispatch.outbox import NewDelivery, NewPost, State
from bot.dispatch.questions import EXPIRE, Questions
from bot.dispatch.timers import Timers
from bot.ids import new_id
from bot.logs import Mask
from bot.store import Store, Tx, open_store
from bot.store.migrate import bring_up_to_date
from interactions import desk
from interactions.kinds.blocked_action import BlockedAction
from interactions.model import Interaction, Requester
from interactions.registry import Registry
from tests.dispatch.working import ANA
from tests.patience import until

AT = datetime(2020, 1, 2, 12, tzinfo=UTC)
MANY = 40


class Replica:
    def __init__(self, store: Store) -> None:
        self.store = store
        ledger = Ledger(store, (b"k" * 32,), Mask())
        self.questions = Questions(Registry(), lambda found: found, ledger)
        self.timers = Timers(store, MovableClock(), {EXPIRE: self.expire}, lambda kind, subject: None, ledger.queue_up)

    async def put(self) -> str:
        question = BlockedAction(agent="Archivist", tool="drive.delete")
        interaction = Interaction(
            id=new_id(AT),
            question=question,
            digest="-",
            requester=Requester(),
            audience=frozenset({"ana"}),
            created_at=AT,
            expires_at=AT + timedelta(minutes=5),
        )
        post = NewPost(new_id(AT), desk.card_of(interaction), {}, interaction.id)
        copies = [NewDelivery(new_id(AT), ANA, (channel,)) for channel in ("chat", "mail")]

        async def job(tx: Tx) -> None:
            await self.questions.put(tx, interaction, Ask(question), post.ref)
            await outbox.put_post(tx, post, AT)
            await outbox.put_deliveries(tx, post, copies, AT)

        await self.store.write(job)
        return interaction.id

    async def expire(self, tx: Tx, interaction_id: str, at: datetime) -> None:
        await self.questions.expire(tx, interaction_id, at)

    async def close(self, tx: Tx, claim: Claim) -> bool:
        """Nobody takes this copy; whether it was the last one of its question."""
        await leases.keep(tx, Kept(claim, (), claim.shown, state=State.FAILED), AT)
        return await self.questions.lost(tx, claim.ref, claim.interaction_id, "refused", AT)

    async def show(self, claim: Claim) -> None:
        receipt = Receipt(claim.channel, "D1", claim.ref)
        kept = Kept(claim, (), claim.version, receipt, claim.step, State.DONE)
        await self.store.write(lambda tx: leases.keep(tx, kept, AT))

    async def show_all(self) -> None:
        while found := await self.store.write(lambda tx: claims(tx, "here")):
            for each in found:
                await self.show(each)

    async def one_more(self, interaction_id: str, *, by_hand: bool) -> None:
        """One more copy of the question: by hand, or because its reader asks in a chat what waits."""
        copies = "SELECT d.id, d.ref FROM delivery d JOIN post p ON p.ref = d.ref WHERE p.interaction_id = :id"

        async def job(tx: Tx) -> None:
            row = (await tx.rows(copies, {"id": interaction_id}))[0]
            if by_hand:
                await send_again(tx, self.questions.ledger, row["id"], AT, "cli", "")
            else:
                await put_pending(tx, self.questions.ledger, ANA, "chat", AT)

        await self.store.write(job)

    async def status(self, interaction_id: str) -> str:
        sql = "SELECT status FROM interaction WHERE id = :id"
        [row] = await self.store.read(lambda tx: tx.rows(sql, {"id": interaction_id}))
        return str(row["status"])

    async def withdraw(self, interaction_id: str) -> bool:
        return await self.store.write(lambda tx: self.questions.withdraw(tx, interaction_id, AT, "not needed"))


@pytest.fixture
async def replicas(postgres_database: str) -> AsyncIterator[tuple[Replica, Replica]]:
    await bring_up_to_date(postgres_database)
    here, there = Replica(open_store(postgres_database)), Replica(open_store(postgres_database))
    for each in (here, there):
        await each.store.start()
    yield here, there
    for each in (here, there):
        await each.store.stop()


async def test_what_two_replicas_end_in_opposite_order_ends_once_and_locks_nobody_out(
    replicas: tuple[Replica, Replica],
) -> None:
    here, there = replicas
    asked = [await here.put() for _ in range(MANY)]
    ended = await asyncio.gather(
        *(here.withdraw(each) for each in asked), *(there.withdraw(each) for each in reversed(asked))
    )
    assert sum(ended) == MANY
    assert await deadlocks(here.store) == 0


async def test_what_is_withdrawn_here_while_it_expires_there_locks_nobody_out(
    replicas: tuple[Replica, Replica],
) -> None:
    here, there = replicas
    asked = [await here.put() for _ in range(MANY)]
    await asyncio.gather(there.timers.fire_due(), *(here.withdraw(each) for each in reversed(asked)))
    assert await deadlocks(here.store) == 0
    ended = "SELECT COUNT(*) AS ended FROM audit WHERE action IN ('interaction.withdrawn', 'interaction.expired')"
    assert [row["ended"] for row in await here.store.read(lambda tx: tx.rows(ended))] == [MANY]


async def test_what_one_replica_is_taking_up_another_leaves_alone_without_waiting(
    replicas: tuple[Replica, Replica],
) -> None:
    here, there = replicas
    await here.put()
    mine, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx) -> list[str]:
        taken = await claimed(tx, "here", 1)
        mine.set()
        await go_on.wait()
        return taken

    first = asyncio.create_task(here.store.write(slowly))
    await mine.wait()
    try:
        rest = await asyncio.wait_for(there.store.write(lambda tx: claimed(tx, "there", 2)), 5)
    finally:
        go_on.set()
    assert ((await first), rest) == (["chat"], ["mail"])


async def test_a_question_whose_last_two_copies_fail_at_two_replicas_at_once_has_reached_nobody(
    replicas: tuple[Replica, Replica],
) -> None:
    here, there = replicas
    asked = await here.put()
    both = await here.store.write(lambda tx: claims(tx, "here"))
    closed, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx) -> bool:
        lost = await here.close(tx, both[0])
        closed.set()
        await go_on.wait()
        return lost

    first = asyncio.create_task(here.store.write(slowly))
    await closed.wait()
    second = asyncio.create_task(there.store.write(lambda tx: there.close(tx, both[1])))
    await done_or_held_up(second, here.store)
    go_on.set()
    assert sorted(await asyncio.gather(first, second)) == [False, True]
    assert await here.status(asked) == "undeliverable"


@pytest.mark.parametrize("again", ["sent again", "asked for in a chat"])
async def test_a_copy_that_is_made_while_the_question_ends_shows_the_end(
    replicas: tuple[Replica, Replica], again: str
) -> None:
    """What is made here is sent before the end that is under way there is written down."""
    here, there = replicas
    asked = await here.put()
    for each in await here.store.write(lambda tx: claims(tx, "here")):
        await here.show(each)
    ended, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(tx: Tx) -> None:
        await there.questions.withdraw(tx, asked, AT, "not needed")
        ended.set()
        await go_on.wait()

    first = asyncio.create_task(there.store.write(slowly))
    await ended.wait()
    second = asyncio.create_task(here.one_more(asked, by_hand=again == "sent again"))
    await done_or_held_up(second, here.store)
    if second.done():
        await here.show_all()
    go_on.set()
    await asyncio.gather(first, second)
    await here.show_all()
    shown = "SELECT d.shown FROM delivery d JOIN post p ON p.ref = d.ref WHERE p.interaction_id = :id"
    rows = await here.store.read(lambda tx: tx.rows(shown, {"id": asked}))
    assert {row["shown"] for row in rows} == {1}


async def done_or_held_up(work: asyncio.Task[Any], store: Store) -> None:
    """Return once the work is done, or waits for what another transaction holds."""
    waiting = "SELECT 1 AS yes FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def so_far() -> bool:
        return work.done() or await store.read(lambda tx: tx.row(waiting)) is not None

    await until(so_far, "the work to be done, or held up")


async def claims(tx: Tx, lease: str) -> list[Claim]:
    found, _ = await leases.claim(tx, lease, {"chat": 10, "mail": 10}, AT)
    return found


async def claimed(tx: Tx, lease: str, room: int) -> list[str]:
    """The channels of what this lease has taken up."""
    found, _ = await leases.claim(tx, lease, {"chat": room, "mail": room - 1}, AT)
    return [each.channel for each in found]


async def deadlocks(store: Store) -> int:
    """As PostgreSQL has counted them; it writes its counts down within a second."""
    await asyncio.sleep(1.2)
    sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    rows = await store.read(lambda tx: tx.rows(sql))
    return int(rows[0]["deadlocks"])
