"""The face of dispatch: tell, ask, answer, wait. Everything else in this package is behind it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from bot.channels.contract import Answer, Channel, Click, Person, Review
from bot.dispatch import again, leases
from bot.dispatch.answers import Answers
from bot.dispatch.asking import Asking
from bot.dispatch.conditions import Conditions
from bot.dispatch.health import ChannelHealth, Condition
from bot.dispatch.notice import Ask, Audience, DeliveryView, Event, InteractionView, MayAsk, Opened, Told, Unknown
from bot.dispatch.overflow import Crowds
from bot.dispatch.posting import Posting
from bot.dispatch.questions import EXPIRE
from bot.dispatch.retention import Retention
from bot.dispatch.setting import Setting
from bot.dispatch.telling import Telling
from bot.dispatch.timers import Timers
from bot.dispatch.tools import Tools
from bot.dispatch.waits import Waits
from bot.dispatch.worker import Worker
from bot.store import Tx
from interactions.card import Card, Status


class Dispatcher:
    """Every call returns after the commit that makes it true; StoreUnavailable means that nothing has happened."""

    def __init__(self, tools: Tools, setting: Setting) -> None:
        self._tools = tools
        self._setting = setting
        self._waits = Waits()
        crowds = Crowds(tools.store, tools.pacing, tools.clock)
        self._worker = Worker(tools, setting.questions.lost, self._ended, self._turned, crowds.put_together)
        ledger = setting.questions.ledger
        self._retention = Retention(tools.store, tools.clock, ledger, self._kept_days)
        self._timers = Timers(tools.store, tools.clock, {EXPIRE: self._expire}, self._fired, ledger.queue_up)
        self._posting = Posting(tools.store, self._worker)
        self._conditions = Conditions(tools, setting, self._posting)
        self._asking = Asking(tools, setting, self._posting, self._waits, self._ended)
        self._telling = Telling(tools, setting, self._posting, self._asking)
        self._answers = Answers(tools, setting, self._ended)

    async def run(self) -> None:
        """Send, update and fire timers until cancelled."""
        await self._conditions.recall()
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._worker.run(), name="worker")
            loops.create_task(self._worker.keep_leases(), name="leases")
            loops.create_task(self._worker.take_in_strays(), name="strays")
            loops.create_task(self._timers.run(), name="timers")
            loops.create_task(self._retention.run(), name="retention")

    async def drain(self, seconds: float) -> None:
        """Stop taking work and let what is in flight end; the rest is kept in the database."""
        await self._worker.drain(seconds)

    async def resume_at_once(self) -> None:
        """Take up what a process that died was holding. Only for a process that knows that it is alone."""
        await self._tools.store.write(leases.release_all)

    def wake(self) -> None:
        """Look for work now (time was moved, settings have changed)."""
        self._worker.wake()

    # ---- telling and asking ------------------------------------------------------------------------------------------

    async def tell(self, event: Event, may_ask: MayAsk | None = None) -> Told:
        return await self._telling.tell(event, may_ask)

    async def check(self, event: Event, may_ask: MayAsk | None = None) -> None:
        await self._telling.check(event, may_ask)

    async def show(self, card: Card, audience: Audience) -> str:
        return await self._telling.show(card, audience)

    async def ask(self, ask: Ask) -> Opened:
        return await self._asking.ask(ask)

    async def view(self, interaction_id: str, producer: str | None = None) -> InteractionView:
        return await self._asking.view(interaction_id, producer)

    async def wait(self, interaction_id: str, seconds: float, producer: str | None = None) -> InteractionView:
        return await self._asking.wait(interaction_id, seconds, producer)

    async def newest(
        self, status: str = "", limit: int = 50, before: str = "", producer: str | None = None
    ) -> list[InteractionView]:
        return await self._asking.newest(status, limit, before, producer)

    async def deliveries(self, limit: int, before: str = "", producer: str | None = None) -> tuple[DeliveryView, ...]:
        """The newest copies first; those made before the one of the given id ("" for all)."""
        return await self._asking.deliveries(limit, before, producer)

    async def withdraw(
        self,
        interaction_id: str,
        because: str = "",
        producer: str | None = None,
        by: str = "gatebell",
        place: str = "",
        on_behalf: str = "",
    ) -> InteractionView:
        return await self._asking.withdraw(interaction_id, because, producer, by, place, on_behalf)

    async def consume(self, interaction_id: str, digest: str, producer: str | None = None) -> InteractionView:
        return await self._asking.consume(interaction_id, digest, producer)

    async def show_pending(self, operator_id: str, channel: str) -> int:
        shown = await self._asking.show_pending(operator_id, channel)
        self._worker.wake()
        return shown

    async def send_again(self, delivery_id: str, by: str, place: str) -> str:
        """One more copy for the same reader; its id. `by` is the audit log's actor. Raises Unknown, Conflict."""
        at, ledger = self._tools.clock.now(), self._setting.questions.ledger
        copy = await self._tools.store.write(lambda tx: again.send_again(tx, ledger, delivery_id, at, by, place))
        self._worker.wake()
        return copy

    # ---- answering ---------------------------------------------------------------------------------------------------

    async def answer(self, click: Click) -> Answer:
        return await self._answers.answer(click)

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        return await self._answers.review(token, person)

    async def look(self, interaction_id: str, operator_id: str) -> Review | None:
        return await self._answers.look(interaction_id, operator_id)

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        await self._answers.refused(platform, why, subject)

    async def decide(
        self, interaction_id: str, choice: str, operator_id: str, inputs: Mapping[str, str], where: str, by: str = ""
    ) -> Answer:
        """A choice by an operator who is signed in elsewhere (`where` says where), over what they see there now.

        `by` is the audit log's actor where a program hands the choice in.
        """
        view = await self._asking.view(interaction_id)
        actor = await self._setting.directory.find(operator_id)
        if actor is None:
            raise Unknown("there is no such operator", "operator")
        click = Click("", choice, Person(where, actor.email, actor.name, actor.email), inputs)
        return await self._answers.settle(interaction_id, view.digest, click, actor, where, by)

    async def status_words(self) -> str:
        """How the channels are and what waits, for somebody who asks in a chat (markdown)."""
        sql = "SELECT COUNT(*) AS waiting FROM interaction WHERE status = 'pending'"
        row = await self._tools.store.read(lambda tx: tx.row(sql))
        waiting = row["waiting"] if row else 0
        lines = [f"- {_state_words(channel, self._tools.board.of(name))}" for name, channel in self._shown_channels()]
        requests = "1 request waits" if waiting == 1 else f"{waiting} requests wait"
        return "\n".join([f"{requests} for an answer.", "", *lines])

    def _shown_channels(self) -> list[tuple[str, Channel]]:
        channels = self._tools.channels()
        return [(name, channels[name]) for name in self._setting.rules().chain if name in channels]

    def health(self) -> Mapping[str, ChannelHealth]:
        """How each channel is, by its own last answers."""
        return self._tools.board.all()

    # ---- what happens by itself --------------------------------------------------------------------------------------

    def _kept_days(self) -> float:
        return self._setting.rules().kept_days

    def _ended(self, interaction_id: str, status: Status) -> None:
        if status is not Status.PENDING:
            self._setting.decided(str(status))
            self._waits.tell(interaction_id)
        self._worker.wake()

    def _fired(self, kind: str, subject: str) -> None:
        if kind == EXPIRE:
            self._ended(subject, Status.EXPIRED)

    async def _expire(self, tx: Tx, subject: str, at: datetime) -> None:
        await self._setting.questions.expire(tx, subject, at)

    async def _turned(self, health: ChannelHealth) -> None:
        await self._conditions.turned(health)


def _state_words(channel: Channel, health: ChannelHealth) -> str:
    if channel.missing():
        return f"{channel.title}: not set up"
    match health.condition:
        case Condition.READY:
            return f"{channel.title}: ready"
        case Condition.FAILING:
            return f"{channel.title}: not answering well; it is tried again by itself"
        case Condition.BROKEN:
            return f"{channel.title}: refuses our credentials; an admin has to fix that"
