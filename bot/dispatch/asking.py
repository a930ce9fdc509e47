"""Asking: a question becomes rows and copies; its caller waits, withdraws it, or uses what was approved."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from pydantic import JsonValue

from bot.channels.contract import CALLER_CHANNEL, Reader, ReaderKind
from bot.dispatch import outbox
from bot.dispatch.notice import (
    Ask,
    Conflict,
    DeliveryView,
    Expired,
    Fault,
    InteractionView,
    Opened,
    Unfit,
    Unknown,
)
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.pipeline import NO_CHANNEL
from bot.dispatch.posting import Posting
from bot.dispatch.questions import Ledger
from bot.dispatch.records import interaction_from, moment
from bot.dispatch.route import caller, operators_for, readers_for
from bot.dispatch.setting import Setting
from bot.dispatch.tools import Tools
from bot.dispatch.waits import Waits
from bot.ids import new_id
from bot.store import Row, Tx
from interactions import desk
from interactions.card import Status
from interactions.model import Actor, Interaction, payload_of

LOOK_AGAIN = 0.5  # seconds between looks while a caller waits: another replica may have taken the decision

DELIVERY = (
    "SELECT d.id, d.reader_kind, d.reader_id, d.channel, d.state, d.shown, d.reason, d.detail, d.created_at,"
    " p.interaction_id, (SELECT COUNT(*) FROM attempt a WHERE a.delivery_id = d.id) AS attempts"
    " FROM delivery d JOIN post p ON p.ref = d.ref"
)

NOBODY = "There is nobody to ask yet. Add yourself: gatebell operator add you@example.com --role admin"

AlsoPut = Callable[[Tx, str, str], Awaitable[None]]


class Asking:
    """`ended` is told of every end that a call of this class brings about."""

    def __init__(
        self, tools: Tools, setting: Setting, posting: Posting, waits: Waits, ended: Callable[[str, Status], None]
    ) -> None:
        self._tools = tools
        self._setting = setting
        self._posting = posting
        self._waits = waits
        self._ended = ended

    async def ask(self, ask: Ask, also: AlsoPut | None = None) -> Opened:
        """Put a question to people. `also` writes in the same transaction (interaction id, ref).

        Raises Unfit for an audience that cannot be asked or could never approve, Conflict for an idempotency key that
        asked something else.
        """
        if ask.idempotency_key:  # whoever was asked then may be gone, and it is the same question all the same
            earlier = await self._tools.store.read(lambda tx: self._setting.questions.earlier(tx, ask))
            if earlier:
                return Opened(await self.view(earlier["id"]), created=False)
        at = self._tools.clock.now()
        actors = await self._who(ask)
        interaction = self._interaction(ask, actors, at)
        if also is None:  # an event is told all the same, and whoever is asked may still say no
            _refuse_in_vain(interaction, actors)
        record = self._setting.questions.record(interaction)
        post = NewPost(new_id(at), desk.card_of(interaction), record, interaction.id, ask.thread)
        copies = await self._copies(ask, interaction, at)
        found: list[str] = []

        async def before(tx: Tx) -> bool:
            earlier = await self._setting.questions.earlier(tx, ask)
            if earlier:
                found.append(earlier["id"])
                return False
            await self._setting.questions.put(tx, interaction, ask, post.ref)
            if also:
                await also(tx, interaction.id, post.ref)
            return True

        if await self._posting.put_unless(post, copies, at, before):
            self._setting.asked(interaction.question.kind)
            return Opened(_view(interaction, record, ()), created=True)
        return Opened(await self.view(found[-1]), created=False)

    async def check(self, ask: Ask) -> None:
        """Raises Unfit for an audience that cannot be asked; nothing is stored."""
        await self._who(ask)

    async def view(self, interaction_id: str, producer: str | None = None) -> InteractionView:
        """One question as it stands. Raises Unknown, also where it belongs to another producer than the given one."""

        async def job(tx: Tx) -> InteractionView | None:
            loaded = await self._setting.questions.load(tx, interaction_id)
            if loaded is None or producer not in (None, loaded[1]["producer"]):
                return None
            interaction, row = loaded
            record = dict(self._setting.questions.record(interaction))
            if row["consumed_at"]:
                record["consumed"] = True
            return _view(interaction, record, await deliveries_of(tx, row["ref"]))

        view = await self._tools.store.read(job)
        if view is None:
            raise Unknown("there is no interaction with this id", "id")
        return view

    async def wait(self, interaction_id: str, seconds: float, producer: str | None = None) -> InteractionView:
        """One question, as soon as it has ended, or as it stands when the time is over."""
        until = time.monotonic() + seconds
        view = await self.view(interaction_id, producer)
        while view.status == Status.PENDING and (left := until - time.monotonic()) > 0:
            await self._waits.until_told(interaction_id, min(LOOK_AGAIN, left))
            view = await self.view(interaction_id, producer)
        return view

    async def newest(self, status: str, limit: int, before: str, producer: str | None = None) -> list[InteractionView]:
        """The newest first; those that were asked before the one of the given id ("" for all)."""

        async def job(tx: Tx) -> list[InteractionView]:
            rows = await tx.rows(
                "SELECT * FROM interaction WHERE (:status = '' OR status = :status)"
                " AND (:before = '' OR id < :before) AND (:producer = '*' OR producer = :producer)"
                " ORDER BY id DESC LIMIT :most",
                {"status": status, "before": before, "producer": "*" if producer is None else producer, "most": limit},
            )
            questions = self._setting.questions
            found = [interaction_from(row, questions.kinds) for row in rows]
            return [_view(each, questions.record(each), ()) for each in found]

        return await self._tools.store.read(job)

    async def deliveries(self, limit: int, before: str = "", producer: str | None = None) -> tuple[DeliveryView, ...]:
        return await self._tools.store.read(lambda tx: newest_deliveries(tx, limit, before, producer))

    async def withdraw(
        self,
        interaction_id: str,
        because: str = "",
        producer: str | None = None,
        by: str = "gatebell",
        place: str = "",
        on_behalf: str = "",
    ) -> InteractionView:
        """End a question that nobody has to answer any more; `by` is who does it. Raises Unknown, Conflict."""
        at = self._tools.clock.now()
        await self.view(interaction_id, producer)
        questions = self._setting.questions
        if not await self._tools.store.write(
            lambda tx: questions.withdraw(tx, interaction_id, at, because, by, place, on_behalf)
        ):
            raise Conflict("it has ended already and cannot be withdrawn", "id")
        self._ended(interaction_id, Status.WITHDRAWN)
        return await self.view(interaction_id)

    async def consume(self, interaction_id: str, digest: str, producer: str | None = None) -> InteractionView:
        """Use an approval, once, for exactly what was shown. Raises Unknown, Unfit, Conflict, Expired."""
        at = self._tools.clock.now()
        await self.view(interaction_id, producer)
        fault = await self._tools.store.write(lambda tx: self._consume(tx, interaction_id, digest, at))
        if fault:
            raise fault
        return await self.view(interaction_id)

    async def _consume(self, tx: Tx, interaction_id: str, digest: str, at: datetime) -> Fault | None:
        """Why it may not be used. Returned, because raising would take back what is written down about it."""
        await self._setting.questions.ledger.queue_up(tx)
        loaded = await self._setting.questions.load(tx, interaction_id, lock=True)
        if loaded is None:
            return Unknown("there is no interaction with this id", "id")
        interaction, row = loaded
        fault = _bar_to_use(interaction, digest, at)
        sql = "UPDATE interaction SET consumed_at = :at WHERE id = :id AND consumed_at IS NULL"
        if fault is None and not await tx.run(sql, {"id": interaction_id, "at": at.timestamp()}):
            fault = Conflict("this approval has been used already", "id")
        if fault and interaction.status is Status.PENDING:
            return fault  # somebody who only asks too early
        action = "consume.refused" if fault else "interaction.consumed"
        detail: dict[str, JsonValue] = {"digest": digest, "why": fault.words if fault else ""}
        await self._setting.questions.ledger.record(tx, at, row["producer"], action, interaction_id, "", detail)
        return fault

    async def show_pending(self, operator_id: str, channel: str) -> int:
        """Post a person's open questions to the channel where that person asked for them; how many there are."""
        reader = await self._setting.directory.reader(operator_id)
        if reader is None:
            return 0
        at, ledger = self._tools.clock.now(), self._setting.questions.ledger
        return await self._tools.store.write(lambda tx: put_pending(tx, ledger, reader, channel, at))

    async def _who(self, ask: Ask) -> Sequence[Actor]:
        """Who may decide. A room alone gives nobody the right; nobody at all to show it to is a fault."""
        if not ask.audience.operators and ask.audience.room is not None:
            return ()
        actors = await operators_for(ask.audience, self._setting.directory)
        if not actors:
            raise Unfit(NOBODY, "audience")
        if len(actors) < ask.approvals:
            raise Unfit(f"{ask.approvals} approvals need at least as many operators to ask", "approvals")
        return actors

    def _interaction(self, ask: Ask, actors: Sequence[Actor], at: datetime) -> Interaction:
        return Interaction(
            id=new_id(at),
            question=ask.question,
            digest=self._setting.digest(ask.question.kind, payload_of(ask.question), asdict(ask.requester)),
            requester=ask.requester,
            audience=frozenset(actor.id for actor in actors),
            created_at=at,
            expires_at=at + timedelta(seconds=ask.expires_in) if ask.expires_in else None,
            approvals=ask.approvals,
            reason=ask.reason,
        )

    async def _copies(self, ask: Ask, interaction: Interaction, at: datetime) -> list[NewDelivery]:
        """One copy for each operator and the room; one for the caller, who is told nothing before it has ended."""
        chain = self._setting.rules().chain_to(ask.audience)
        if not chain:
            raise Unfit(NO_CHANNEL, "audience")
        readers = await readers_for(ask.audience, self._setting.directory)
        copies = [NewDelivery(new_id(at), reader, chain) for reader in readers]
        if ask.callback_url:
            copies.append(NewDelivery(new_id(at), caller(ask.callback_url, interaction.id), (CALLER_CHANNEL,), shown=0))
        return copies


def _refuse_in_vain(interaction: Interaction, actors: Sequence[Actor]) -> None:
    """Raises Unfit for a question whose approval nobody could give: it would only end by expiring."""
    able = [actor for actor in actors if desk.could_approve(interaction, actor)]
    if not actors or len(able) >= interaction.approvals or not interaction.question.card().asks_approval:
        return
    asked = ", ".join(actor.email for actor in actors)
    if len(actors) == 1 and actors[0].role.decides:
        words = f"Only {asked} is asked, and it is their own request, so nobody could approve it"
    else:
        may = ", ".join(actor.email for actor in able) or "nobody"
        count = "1 approval is" if interaction.approvals == 1 else f"{interaction.approvals} approvals are"
        words = (
            f"{count} needed, and of {asked} {may} could approve it: a viewer does not decide, and nobody approves"
            " their own request"
        )
    raise Unfit(f"{words}. Ask somebody else too.", "audience")


async def deliveries_of(tx: Tx, ref: str) -> tuple[DeliveryView, ...]:
    rows = await tx.rows(f"{DELIVERY} WHERE d.ref = :ref ORDER BY d.id", {"ref": ref})
    return tuple(_delivery_view(row) for row in rows)


async def newest_deliveries(tx: Tx, limit: int, before: str, producer: str | None) -> tuple[DeliveryView, ...]:
    """The newest first; of a producer, only those that its own questions and events led to."""
    whose = (
        " AND (EXISTS (SELECT 1 FROM interaction i WHERE i.ref = d.ref AND i.producer = :producer)"
        " OR EXISTS (SELECT 1 FROM event e WHERE e.ref = d.ref AND e.producer = :producer))"
    )
    rows = await tx.rows(
        f"{DELIVERY} WHERE (:before = '' OR d.id < :before){'' if producer is None else whose}"
        " ORDER BY d.id DESC LIMIT :most",
        {"before": before, "producer": producer, "most": limit},
    )
    return tuple(_delivery_view(row) for row in rows)


async def put_pending(tx: Tx, ledger: Ledger, reader: Reader, channel: str, at: datetime) -> int:
    """One more copy of each open question of this reader; how many there are."""
    await ledger.queue_up(tx)  # else an end that another replica is writing down would miss the new copy
    rows = await tx.rows("SELECT id, ref, audience FROM interaction WHERE status = 'pending' ORDER BY id")
    mine = [row for row in rows if reader.id in json.loads(row["audience"])]
    for row in mine:
        await _one_more_copy(tx, row["ref"], reader, channel, at)
    return len(mine)


async def _one_more_copy(tx: Tx, ref: str, reader: Reader, channel: str, at: datetime) -> None:
    row = await tx.row("SELECT version, rank FROM post WHERE ref = :ref", {"ref": ref})
    if row is None:
        return
    await outbox.put_copy(tx, ref, NewDelivery(new_id(at), reader, (channel,)), row["rank"], row["version"], at)


def _bar_to_use(interaction: Interaction, digest: str, at: datetime) -> Fault | None:
    if interaction.status is Status.EXPIRED or desk.expire(interaction, at):
        return Expired("this request has expired without an answer")
    if interaction.ruling is None or not interaction.ruling.approved:
        return Conflict(f"this request is not approved; it is {_standing(interaction)}", "id")
    if digest != interaction.digest:
        return Unfit("this digest is not the one that was approved; what you are about to do was not shown", "digest")
    return None


def _standing(interaction: Interaction) -> str:
    return interaction.ruling.text if interaction.ruling else str(interaction.status)


def _delivery_view(row: Row) -> DeliveryView:
    nothing_yet = 0 if row["reader_kind"] == ReaderKind.CALLER else -1
    shown = "sent" if row["shown"] > nothing_yet else "waiting"
    state = row["state"] if row["state"] in ("failed", "grouped") else shown
    detail = row["detail"] or row["reason"]
    return DeliveryView(
        id=row["id"],
        reader=f"{row['reader_kind']}:{row['reader_id']}",
        channel=row["channel"],
        state=state,
        attempts=row["attempts"],
        detail=detail,
        interaction_id=row["interaction_id"],
        created_at=moment(row["created_at"]),
    )


def _view(
    interaction: Interaction, record: Mapping[str, JsonValue], deliveries: tuple[DeliveryView, ...]
) -> InteractionView:
    return InteractionView(
        id=interaction.id,
        kind=interaction.question.kind,
        status=str(interaction.status),
        digest=interaction.digest,
        expires_at=interaction.expires_at,
        record=record,
        card=desk.card_of(interaction),
        deliveries=deliveries,
    )
