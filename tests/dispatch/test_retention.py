"""What is kept and what goes: whatever is over for long goes as a whole, whatever is open stays."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.channels.contract import OF_THREAD
from bot.clock import MovableClock
from bot.dispatch import leases, outbox
from bot.dispatch.notice import Event, Result, Told
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.retention import AT_ONCE, KEPT_THREADS, UNTOLD, Retention
from bot.dispatch.telling import EVENT, event_row
from bot.ids import new_id
from bot.memory import ChannelMemory
from bot.store import Bulk, Store, Tx, Write, open_store
from bot.store.migrate import bring_up_to_date
from interactions.card import Card
from tests.dispatch.working import ANA

COUNTED = (
    "SELECT (SELECT COUNT(*) FROM event) AS event, (SELECT COUNT(*) FROM post) AS post,"
    " (SELECT COUNT(*) FROM delivery) AS delivery, (SELECT COUNT(*) FROM attempt) AS attempt,"
    " (SELECT COUNT(*) FROM interaction) AS interaction"
)
QUESTION: Mapping[str, object] = {
    "kind": "clarification",
    "payload": "{}",
    "digest": "-",
    "requester": "{}",
    "audience": "[]",
    "approvals": 1,
    "reason_rule": "none",
    "votes": "[]",
    "ended_because": "",
    "callback_url": "",
    "thread": "",
}


class Written:
    """The audit log, as far as it matters here."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, Mapping[str, Any]]] = []

    async def record(
        self,
        tx: Tx,
        at: datetime,
        actor: str,
        action: str,
        subject: str,
        place: str,
        detail: Mapping[str, Any],
        on_behalf: str = "",
    ) -> None:
        self.lines.append((actor, action, detail))

    async def queue_up(self, tx: Tx) -> None:
        return


class Kept:
    def __init__(self, store: Store) -> None:
        self.store, self.clock, self.written, self.days = store, MovableClock(), Written(), 30.0
        self.retention = Retention(store, self.clock, self.written, lambda: self.days)

    async def told(self, *, state: str = "done", asks: str = "", thread: str = "") -> str:
        """An event that was told now: its rows everywhere; `asks` is how its question stands."""
        at = self.clock.now()
        found = new_id(at) if asks else ""
        post = NewPost(new_id(at), Card("A notice"), {}, interaction_id=found, thread=thread)
        copy = NewDelivery(new_id(at), ANA, ("chat",))

        async def job(tx: Tx) -> None:
            await outbox.put_post(tx, post, at)
            await outbox.put_deliveries(tx, post, [copy], at)
            await tx.bulk(
                EVENT, [event_row(Event("disk.full", "Full"), Told(new_id(at), Result.ACCEPTED), post.ref, at)]
            )
            await tx.bulk(leases.ATTEMPT, [(new_id(at), copy.id, "chat", "send", 0, at.timestamp(), 1.0, "", "")])
            await tx.run("UPDATE delivery SET state = :state WHERE id = :id", {"state": state, "id": copy.id})
            if asks:
                row = {**QUESTION, "id": found, "status": asks, "at": at.timestamp(), "ref": post.ref}
                names = ", ".join(QUESTION)
                values = ", ".join(f":{name}" for name in QUESTION)
                sql = "INSERT INTO interaction (id, status, created_at, ref, {n}) VALUES (:id, :status, :at, :ref, {v})"
                await tx.run(sql.replace("{n}", names).replace("{v}", values), row)

        await self.store.write(job)
        return post.ref

    @property
    def memory(self) -> ChannelMemory:
        return ChannelMemory(self.store, self.clock.now, "chat")

    async def remembers(self, *keys: str) -> None:
        for key in keys:
            await self.memory.put(key, "1700000000.000100")

    async def remembered(self) -> list[str]:
        return list(await self.memory.all(""))

    async def rows(self) -> dict[str, int]:
        row = await self.store.read(lambda tx: tx.row(COUNTED))
        return dict(row or {})

    async def after(self, days: float) -> int:
        self.clock.forward(timedelta(days=days).total_seconds())
        return await self.retention.sweep()


@pytest.fixture
def kept(store: Store) -> Kept:
    return Kept(store)


async def test_what_is_over_for_long_goes_with_everything_behind_it(kept: Kept) -> None:
    await kept.told(asks="decided")
    assert await kept.after(31) == 1
    assert set((await kept.rows()).values()) == {0}


async def test_what_is_over_for_less_stays(kept: Kept) -> None:
    await kept.told(asks="decided")
    assert await kept.after(29) == 0
    assert set((await kept.rows()).values()) == {1}


@pytest.mark.parametrize(("state", "asks"), [("open", ""), ("done", "pending")], ids=["a copy", "a question"])
async def test_what_is_still_open_stays_however_old(kept: Kept, state: str, asks: str) -> None:
    await kept.told(state=state, asks=asks)
    assert await kept.after(3650) == 0
    assert (await kept.rows())["post"] == 1


async def test_what_has_changed_lately_stays(kept: Kept) -> None:
    ref = await kept.told()
    kept.clock.forward(20 * 86400)
    at = kept.clock.now()
    await kept.store.write(lambda tx: outbox.raise_version(tx, ref, Card("Changed"), {}, at))
    await kept.store.write(lambda tx: tx.run("UPDATE delivery SET state = 'done'"))
    assert await kept.after(20) == 0


async def test_events_that_nobody_was_told_of_go_too(kept: Kept) -> None:
    at = kept.clock.now()
    await kept.store.put(
        Write(EVENT, [event_row(Event("disk.full", "Full"), Told(new_id(at), Result.DEDUPLICATED), "", at)])
    )
    assert await kept.after(31) == 1
    assert (await kept.rows())["event"] == 0


async def test_more_than_one_transaction_takes_goes_at_once(kept: Kept) -> None:
    at = kept.clock.now()
    rows = [
        event_row(Event("disk.full", "Full"), Told(new_id(at), Result.DEDUPLICATED), "", at) for _ in range(AT_ONCE)
    ]
    await kept.store.put(Write(EVENT, rows))
    await kept.told()
    assert await kept.after(31) == AT_ONCE + 1


async def test_with_zero_days_everything_stays(kept: Kept) -> None:
    kept.days = 0
    await kept.told()
    assert await kept.after(3650) == 0


async def test_what_was_removed_is_written_down(kept: Kept) -> None:
    await kept.told()
    await kept.after(31)
    await kept.after(31)
    assert kept.written.lines == [("retention", "records.removed", {"count": 1, "older_than_days": 30.0})]


@pytest.fixture
async def kept_in_postgres(postgres_database: str) -> AsyncIterator[Kept]:
    await bring_up_to_date(postgres_database)
    store = open_store(postgres_database)
    await store.start()
    yield Kept(store)
    await store.stop()


async def test_where_a_thread_stood_is_forgotten_with_the_last_post_of_it(kept: Kept) -> None:
    await kept.told(thread="job 7")
    await kept.remembers(f"{OF_THREAD}C1:job 7", f"chat:{OF_THREAD}19:a@thread.tacv2:job 7")
    await kept.after(31)
    assert await kept.remembered() == []


async def test_where_a_thread_stands_is_remembered_while_a_post_of_it_is_kept(kept: Kept) -> None:
    await kept.told(thread="job 7")
    await kept.remembers(f"{OF_THREAD}C1:job 7")
    kept.clock.forward(20 * 86400)
    await kept.told(thread="job 7")
    await kept.after(20)
    assert await kept.remembered() == [f"{OF_THREAD}C1:job 7"]


async def test_a_place_and_a_thread_may_hold_colons(kept: Kept) -> None:
    await kept.told(thread="job:7", state="open")
    await kept.remembers(f"{OF_THREAD}19:C1:job:7", f"{OF_THREAD}19:C1:job:8")
    await kept.after(31)
    assert await kept.remembered() == [f"{OF_THREAD}19:C1:job:7"]


async def test_what_else_a_channel_remembers_stays(kept: Kept) -> None:
    await kept.told(thread="ana@example.com")
    await kept.remembers("user:ana@example.com", "place:19:a@thread.tacv2")
    await kept.after(3650)
    assert await kept.remembered() == ["place:19:a@thread.tacv2", "user:ana@example.com"]


async def test_a_thread_that_has_just_begun_is_remembered(kept: Kept) -> None:
    await kept.remembers(f"{OF_THREAD}C1:job 7")
    await kept.after(29)
    assert await kept.remembered() == [f"{OF_THREAD}C1:job 7"]


async def test_more_threads_than_are_looked_at_together_are_forgotten_at_once(kept: Kept) -> None:
    await kept.told(thread="0", state="open")
    await kept.remembers(*(f"{OF_THREAD}C1:{number}" for number in range(AT_ONCE + 2)))
    await kept.after(31)
    assert await kept.remembered() == [f"{OF_THREAD}C1:0"]


async def test_with_zero_days_threads_are_remembered_too(kept: Kept) -> None:
    kept.days = 0
    await kept.remembers(f"{OF_THREAD}C1:job 7")
    await kept.after(3650)
    assert await kept.remembered() == [f"{OF_THREAD}C1:job 7"]


async def test_postgresql_forgets_threads_alike(kept_in_postgres: Kept) -> None:
    await kept_in_postgres.told(thread="job 7", state="open")
    await kept_in_postgres.remembers(f"{OF_THREAD}C1:job 7", f"{OF_THREAD}C1:job 8")
    await kept_in_postgres.after(31)
    assert await kept_in_postgres.remembered() == [f"{OF_THREAD}C1:job 7"]


def explained(bulk: Bulk, how: str) -> Bulk:
    return Bulk(f"{how} {bulk.sql}", bulk.columns)


async def test_no_post_is_looked_at_for_a_thread_but_its_own(kept: Kept) -> None:
    how = explained(KEPT_THREADS, "EXPLAIN QUERY PLAN")
    plan = await kept.store.read(lambda tx: tx.bulk(how, [("job 7",)]))
    assert any("ix_post_thread (thread=?)" in row["detail"] for row in plan)


async def test_postgresql_looks_at_no_other_post_either(kept_in_postgres: Kept) -> None:
    how = explained(KEPT_THREADS, "EXPLAIN")

    async def job(tx: Tx) -> str:
        await tx.run("SET LOCAL enable_seqscan = off")  # a table as small as this it would rather read as a whole
        return "\n".join(row["QUERY PLAN"] for row in await tx.bulk(how, [("job 7",)]))

    plan = await kept_in_postgres.store.write(job)
    assert "ix_post_thread" in plan
    assert "Seq Scan" not in plan


async def test_what_nobody_was_told_of_is_looked_at_once_it_is_old(kept: Kept) -> None:
    plan = await kept.store.read(lambda tx: tx.rows(f"EXPLAIN QUERY PLAN {UNTOLD}", {"before": 0.0, "most": 1}))
    assert any("ix_event_received_at (received_at<?)" in row["detail"] for row in plan)
