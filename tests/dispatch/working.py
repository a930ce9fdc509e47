"""A worker with everything that it works with, over a real database and channels that do as they are told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self, TypeVar

from bot.channels.contract import Edge, Field, Post, Rate, Reader, ReaderKind, Receipt
from bot.clock import MovableClock
from bot.dispatch import outbox
from bot.dispatch.cooldown import MemoryCooldown
from bot.dispatch.health import ChannelHealth, HealthBoard
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.pacing import MemoryPacing
from bot.dispatch.stamps import Stamps
from bot.dispatch.tools import Tools
from bot.dispatch.worker import Worker
from bot.ids import new_id
from bot.store import Job, Row, Store, Tx, Write
from interactions.card import Card, Severity, Status

ANA = Reader(ReaderKind.OPERATOR, "ana", "Ana", "ana@example.com")
T = TypeVar("T")
Does = Callable[[Post], Awaitable[None]]  # returns for an accepted card, raises what it is refused with


async def at_once(post: Post) -> None:
    return


@dataclass
class Told:
    """A channel that accepts, unless it is told otherwise, and remembers what it was given."""

    does: Does = at_once
    sent: list[str] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    name: ClassVar[str] = "chat"
    title: ClassVar[str] = "A channel"
    fields: ClassVar[tuple[Field, ...]] = ()
    rates: ClassVar[tuple[Rate, ...]] = ()

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: Edge) -> Self:
        return cls()

    def missing(self) -> tuple[str, ...]:
        return ()

    async def send(self, reader: Reader, post: Post) -> Receipt:
        self.sent.append(post.card.title)
        await self.does(post)
        return Receipt(self.name, reader.id, post.ref)

    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        self.updated.append(post.version)
        await self.does(post)
        return receipt


class Mail(Told):
    name: ClassVar[str] = "mail"


class SlowMail(Mail):
    rates: ClassVar[tuple[Rate, ...]] = (Rate(1, 60.0),)


class People:
    def __init__(self) -> None:
        self.here = {"ana": ANA}

    async def reader(self, operator_id: str) -> Reader | None:
        return self.here.get(operator_id)


class Counted:
    def __init__(self) -> None:
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.given_up: list[str] = []

    def attempted(self, channel: str, reason: str, seconds: float) -> None:
        self.attempts[channel, reason] += 1

    def gave_up(self, channel: str) -> None:
        self.given_up.append(channel)

    def broken(self, channel: str, *, broken: bool) -> None:
        return

    def shown(self, seconds: float) -> None:
        return


@dataclass
class Looked:
    """A store that counts how often it is asked to write."""

    inside: Store
    writes: int = 0

    async def start(self) -> None:
        await self.inside.start()

    async def stop(self) -> None:
        await self.inside.stop()

    async def write(self, job: Job[T]) -> T:
        self.writes += 1
        return await self.inside.write(job)

    async def put(self, *writes: Write) -> list[Row]:
        self.writes += 1
        return await self.inside.put(*writes)

    async def read(self, job: Job[T]) -> T:
        return await self.inside.read(job)


@dataclass
class Works:
    """`lost` holds the questions that reached nobody, `turned` the channels whose health has turned.

    `crowded` holds the channels on which more waited for a reader than could go out soon.
    """

    store: Store
    channels: dict[str, Told]
    clock: MovableClock = field(default_factory=MovableClock)
    people: People = field(default_factory=People)
    counted: Counted = field(default_factory=Counted)
    cooldown: MemoryCooldown = field(default_factory=MemoryCooldown)
    board: HealthBoard = field(default_factory=HealthBoard)
    lost: list[str] = field(default_factory=list)
    ended: list[tuple[str, Status]] = field(default_factory=list)
    turned: list[ChannelHealth] = field(default_factory=list)
    crowded: list[tuple[str, str]] = field(default_factory=list)

    def worker(self) -> Worker:
        return Worker(self.tools(), self._lost, self._end, self._turn, self._crowd)

    def tools(self) -> Tools:
        return Tools(
            store=self.store,
            channels=lambda: self.channels,
            readers=self.people,
            clock=self.clock,
            stamps=Stamps(lambda: "http://127.0.0.1", (b"copy",), (b"page",), str),
            pacing=MemoryPacing(),
            cooldown=self.cooldown,
            board=self.board,
            observer=self.counted,
        )

    async def put(
        self, title: str, *chain: str, asks: str = "", severity: Severity = Severity.LOW, who: str = "ana"
    ) -> str:
        at = self.clock.now()
        post = NewPost(new_id(at), Card(title, severity=severity), {}, interaction_id=asks)
        copy = NewDelivery(new_id(at), Reader(ReaderKind.OPERATOR, who), chain)

        async def job(tx: Tx) -> None:
            await outbox.put_post(tx, post, at)
            await outbox.put_deliveries(tx, post, [copy], at)

        await self.store.write(job)
        return copy.id

    async def change(self, copy: str, title: str) -> None:
        at, ref = self.clock.now(), (await self.row(copy))["ref"]
        await self.store.write(lambda tx: outbox.raise_version(tx, ref, Card(title), {}, at))

    async def row(self, copy: str) -> Row:
        row = await self.store.read(lambda tx: tx.row("SELECT * FROM delivery WHERE id = :id", {"id": copy}))
        assert row is not None
        return row

    async def attempts(self, copy: str) -> list[tuple[str, str]]:
        sql = "SELECT channel, reason FROM attempt WHERE delivery_id = :id ORDER BY at, id"
        rows = await self.store.read(lambda tx: tx.rows(sql, {"id": copy}))
        return [(row["channel"], row["reason"]) for row in rows]

    async def until(self, copy: str, state: str) -> Row:
        """The copy, once it stands so and nobody works on it."""
        return await self._once(copy, lambda row: row["state"] == state)

    async def until_tried(self, copy: str, tries: int) -> Row:
        return await self._once(copy, lambda row: row["tries"] == tries)

    async def until_on(self, copy: str, channel: str) -> Row:
        return await self._once(copy, lambda row: row["channel"] == channel)

    async def _once(self, copy: str, stands: Callable[[Row], bool]) -> Row:
        for _ in range(1000):
            row = await self.row(copy)
            if stands(row) and not row["lease"]:
                return row
            await asyncio.sleep(0.01)
        raise TimeoutError(f"the copy stands at {dict(row)}")

    async def _lost(self, tx: Tx, ref: str, interaction_id: str, because: str, at: datetime) -> bool:
        self.lost.append(interaction_id)
        return bool(interaction_id)

    def _end(self, interaction_id: str, status: Status) -> None:
        self.ended.append((interaction_id, status))

    async def _turn(self, health: ChannelHealth) -> None:
        self.turned.append(health)

    async def _crowd(self, channel: str, reader_id: str) -> None:
        self.crowded.append((channel, reader_id))


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    async with asyncio.TaskGroup() as loops:
        tasks = [loops.create_task(each) for each in (worker.run(), worker.keep_leases(), worker.take_in_strays())]
        yield worker
        await worker.drain(0.1)
        for task in tasks:
            task.cancel()
