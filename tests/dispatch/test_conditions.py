"""A channel that turns: its row and the word about it come together, and a database that is away loses neither."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from bot.audit.ledger import Ledger
from bot.channels.contract import DeliveryError, Person, Post, Reader, Reason
from bot.dispatch.conditions import Conditions
from bot.dispatch.health import ChannelHealth
from bot.dispatch.notice import Notice
from bot.dispatch.pipeline import Rules
from bot.dispatch.posting import Posting
from bot.dispatch.questions import Questions
from bot.dispatch.setting import Setting
from bot.dispatch.worker import Worker
from bot.store import Job, Row, Store, StoreUnavailable, Write
from interactions.card import Card
from interactions.model import Actor
from interactions.registry import Registry
from tests.dispatch.working import ANA, Mail, Told, Works, at_once, running
from tests.patience import until

T = TypeVar("T")
BROKEN = "A channel does not take our messages"


@dataclass
class Leaving:
    """A store that goes away after so many writes; -1 for never. `refused` counts what it did not do meanwhile."""

    inside: Store
    left: int = -1
    refused: int = 0

    async def start(self) -> None:
        await self.inside.start()

    async def stop(self) -> None:
        await self.inside.stop()

    async def write(self, job: Job[T]) -> T:
        self._count()
        return await self.inside.write(job)

    async def put(self, *writes: Write) -> list[Row]:
        self._count()
        return await self.inside.put(*writes)

    async def read(self, job: Job[T]) -> T:
        return await self.inside.read(job)

    def _count(self) -> None:
        if self.left == 0:
            self.refused += 1
            raise StoreUnavailable("away")
        self.left -= self.left > 0


class Office:
    """Where Ana is the one who is told."""

    async def find(self, name: str) -> Actor | None:
        return Actor("ana", "Ana", "ana@example.com")

    async def by_person(self, person: Person) -> Actor | None:
        return None

    async def reader(self, operator_id: str) -> Reader | None:
        return ANA

    async def recipient(self) -> Actor | None:
        return await self.find("ana")


@dataclass
class Minded(Works):
    """Works whose channels' turns are kept and told, as they are in the product."""

    workers: list[Worker] = field(default_factory=list)

    def worker(self) -> Worker:
        self.workers.append(super().worker())
        return self.workers[-1]

    async def _turn(self, health: ChannelHealth) -> None:
        await super()._turn(health)
        posting = Posting(self.store, self.workers[-1])
        await Conditions(self.tools(), self.setting(), posting).turned(health)

    def setting(self) -> Setting:
        return Setting(
            directory=Office(),
            questions=Questions(Registry(), str, Ledger(self.store, (b"k" * 32,))),
            rules=lambda: Rules(chain=("chat", "mail")),
            classify=lambda event: Notice(event, Card(event.summary)),
            digest=lambda kind, payload, requester: "-",
            told=lambda type_, result: None,
            asked=lambda kind: None,
            decided=lambda status: None,
            refused=lambda why: None,
        )

    async def tell(self, title: str) -> None:
        await self.until(await self.put(title, "chat", "mail"), "done")

    async def condition(self) -> str:
        """As it was written down."""
        row = await self.store.read(lambda tx: tx.row("SELECT state FROM channel_health WHERE channel = 'chat'"))
        return str(row["state"]) if row else ""


@pytest.fixture
def leaving(store: Store) -> Leaving:
    return Leaving(store)


@pytest.fixture
def works(leaving: Leaving) -> Minded:
    return Minded(leaving, {"chat": Told(), "mail": Mail()})


def words_about_chat(works: Works) -> int:
    return works.channels["mail"].sent.count(BROKEN)


@pytest.mark.parametrize("writes", [0, 1])
async def test_a_channel_that_breaks_while_the_database_goes_away_is_told_of_once(
    works: Minded, leaving: Leaving, writes: int
) -> None:
    async def breaks(post: Post) -> None:
        leaving.left = writes if post.card.title == "The first" else -1
        raise DeliveryError(Reason.UNAUTHORIZED, "token_revoked")

    async def takes(post: Post) -> None:
        leaving.left = -1

    works.channels = {"chat": Told(breaks), "mail": Mail(takes)}
    async with running(works.worker()):
        for title in ("The first", "The second", "The third"):
            await works.tell(title)
        await until(lambda: words_about_chat(works), "a word about the channel")
    assert (words_about_chat(works), await works.condition()) == (1, "broken")


async def test_a_channel_that_works_again_while_the_database_is_away_is_told_of_when_it_breaks_once_more(
    works: Minded, leaving: Leaving
) -> None:
    async def breaks(post: Post) -> None:
        raise DeliveryError(Reason.UNAUTHORIZED, "token_revoked")

    async def works_meanwhile(post: Post) -> None:
        leaving.left = 0

    chat = Told(breaks)
    works.channels["chat"] = chat
    async with running(works.worker()):
        await works.tell("The first")
        chat.does = works_meanwhile
        telling = asyncio.create_task(works.tell("The second"))
        await until(lambda: leaving.refused > 1, "the database to be asked")
        chat.does, leaving.left = at_once, -1
        await telling
        await works.tell("The third")
        assert await works.condition() == "ready"
        chat.does = breaks
        await works.tell("The fourth")
        await until(lambda: words_about_chat(works) == 2, "a second word about the channel")
