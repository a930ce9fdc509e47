"""Telling: events become notices, notices become posts, or a stored reason why nobody was told."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_json

from bot.dispatch.asking import Asking
from bot.dispatch.notice import Ask, Audience, Dropped, Event, MayAsk, Notice, NotTold, Result, Told, Unfit
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.pipeline import NO_CHANNEL, NOBODY, Stage, cooled, routed, run, switched_on, with_a_way_out
from bot.dispatch.posting import Posting
from bot.dispatch.records import event_record
from bot.dispatch.route import readers_for
from bot.dispatch.setting import Setting
from bot.dispatch.tools import Tools
from bot.ids import new_id
from bot.store import DOUBLE, TEXT, Bulk, StoreUnavailable, Tx, Values, Write
from interactions.card import Card

EVENT = Bulk.insert(
    "event",
    {
        "id": TEXT,
        "type": TEXT,
        "severity": TEXT,
        "phase": TEXT,
        "source": TEXT,
        "summary": TEXT,
        "details": TEXT,
        "dedup_key": TEXT,
        "context": TEXT,
        "labels": TEXT,
        "producer": TEXT,
        "occurred_at": DOUBLE,
        "received_at": DOUBLE,
        "result": TEXT,
        "reason": TEXT,
        "ref": TEXT,
        "interaction_id": TEXT,
    },
)


class Telling:
    def __init__(self, tools: Tools, setting: Setting, posting: Posting, asking: Asking) -> None:
        self._tools = tools
        self._setting = setting
        self._posting = posting
        self._asking = asking
        self._stages: Sequence[Stage] = (
            switched_on(setting.rules),
            *setting.further,
            with_a_way_out(setting.rules),
            cooled(tools.cooldown, tools.clock, setting.rules),
            routed(setting.directory, tools.cooldown),
        )

    async def tell(self, event: Event, may_ask: MayAsk | None = None) -> Told:
        """Take an event: stored in any case, told unless a stage says why not.

        `may_ask` hears of the question that an event opens before anything is stored, and raises if it must not.
        """
        at = self._tools.clock.now()
        notice = self._setting.classify(event)._replace(ref=new_id(at))
        if notice.ask and may_ask:
            await may_ask(notice.ask)
        outcome = await run(self._stages, notice)
        if isinstance(outcome, Dropped):
            told = await self._drop(event, outcome, at)
        elif outcome.ask:
            told = await self._ask(outcome.event, outcome.ask, at)
        else:
            told = await self._post(outcome, at)
        self._setting.told(event.type, str(told.result))
        return told

    async def check(self, event: Event, may_ask: MayAsk | None = None) -> None:
        """Raises what telling the event would raise for what it says; nothing is stored."""
        asked = self._setting.classify(event).ask
        if asked and may_ask:
            await may_ask(asked)
        if asked:
            await self._asking.check(asked)

    async def show(self, card: Card, audience: Audience) -> str:
        """Show a card without an event behind it, whatever the cooldown says (a test, a word of the owner); its ref."""
        at = self._tools.clock.now()
        readers = await readers_for(audience, self._setting.directory)
        chain = self._setting.rules().chain_to(audience)
        if not readers:
            raise Unfit(NOBODY, "audience")
        if not chain:
            raise Unfit(NO_CHANNEL, "audience")
        if audience.channel and audience.channel not in self._tools.channels():
            raise Unfit(f"There is no channel {audience.channel}", "audience.channel")
        post = NewPost(new_id(at), card, {"title": card.title, "severity": str(card.severity)})
        await self._posting.put(post, [NewDelivery(new_id(at), reader, chain) for reader in readers], at)
        return post.ref

    async def _post(self, notice: Notice, at: datetime) -> Told:
        rules = self._setting.rules()
        chain = rules.chain_to(notice.audience)
        told = Told(new_id(at), Result.ACCEPTED)
        record = event_record(notice.event, told.event_id, at)
        post = NewPost(notice.ref, notice.card, record, cooldown=notice.cooldown)
        copies = [NewDelivery(new_id(at), reader, chain) for reader in notice.readers]
        try:
            await self._posting.put(post, copies, at, Write(EVENT, [event_row(notice.event, told, notice.ref, at)]))
        except StoreUnavailable:
            if notice.cooldown:
                await self._tools.cooldown.give_back(notice.cooldown, notice.ref)
            raise
        if notice.cooldown:
            await self._tools.cooldown.hold(notice.cooldown, notice.ref, at, rules.cooldown)
        return told

    async def _ask(self, event: Event, ask: Ask, at: datetime) -> Told:
        event_id = new_id(at)

        async def put_event(tx: Tx, interaction_id: str, ref: str) -> None:
            told = Told(event_id, Result.ACCEPTED, interaction_id=interaction_id)
            await tx.bulk(EVENT, [event_row(event, told, ref, at)])

        opened = await self._asking.ask(ask, put_event)
        return Told(event_id, Result.ACCEPTED, interaction_id=opened.view.id)

    async def _drop(self, event: Event, dropped: Dropped, at: datetime) -> Told:
        result = Result.DEDUPLICATED if dropped.why is NotTold.COOLDOWN else Result.SUPPRESSED
        told = Told(new_id(at), result, f"{dropped.why}: {dropped.detail}")
        await self._tools.store.put(Write(EVENT, [event_row(event, told, "", at)]))
        return told


def event_row(event: Event, told: Told, ref: str, at: datetime) -> Values:
    return (
        told.event_id,
        event.type,
        event.severity.value,
        event.phase.value,
        event.source,
        event.summary,
        event.details,
        event.dedup_key,
        to_json(event.context).decode(),
        to_json(event.labels).decode(),
        event.producer,
        event.occurred_at.timestamp() if event.occurred_at else None,
        at.timestamp(),
        told.result.value,
        told.reason,
        ref,
        told.interaction_id,
    )
