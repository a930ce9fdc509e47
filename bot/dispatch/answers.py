"""Answers: from a verified click to a decision that stands, in one transaction; what is refused is audited."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from bot.channels.contract import Answer, Click, Person, ReaderKind, Review
from bot.dispatch.outbox import FROM_COPIES
from bot.dispatch.setting import Setting
from bot.dispatch.tools import Tools
from bot.store import Tx
from interactions import desk
from interactions.card import Status
from interactions.codec import Ticket
from interactions.desk import Refused, Settled, Why
from interactions.model import Actor, Interaction

LINK = "link"  # the platform of a signed page: its token proves one reader
NOT_OURS = "This button does not belong to a request here, so nothing happened."
WHO = (
    "It could not be told who you are, so your click changed nothing. Please press again in a moment; "
    "if that does not help, an admin can link your account."
)

COPY = (
    f"SELECT d.reader_kind, d.reader_id, d.channel, p.interaction_id{FROM_COPIES}"
    " WHERE d.id = :id AND p.interaction_id <> ''"
)


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy that a token belongs to."""

    interaction_id: str
    reader_kind: str
    reader_id: str
    channel: str


class Answers:
    """`ended` is told of each answer that counts."""

    def __init__(self, tools: Tools, setting: Setting, ended: Callable[[str, Status], None]) -> None:
        self._tools = tools
        self._directory = setting.directory
        self._questions = setting.questions
        self._count_refused = setting.refused
        self._ended = ended

    async def answer(self, click: Click) -> Answer:
        """What became of a click. Whatever it is, exactly one decision stands, and the person is told the truth."""
        ticket = self._ticket(click.token, click.person)
        copy = await self._copy(ticket) if ticket else None
        if ticket is None or copy is None:
            await self.refused(click.person.platform, "token", click.person.subject)
            return Answer(accepted=False, words=NOT_OURS)
        actor = await self._actor(click.person, copy)
        where = copy.channel if click.person.platform == LINK else click.person.platform
        return await self.settle(copy.interaction_id, ticket.digest, click, actor, where)

    async def settle(
        self, interaction_id: str, digest: str, click: Click, actor: Actor | None, where: str, by: str = ""
    ) -> Answer:
        """The same for a click on a copy and for somebody who decides on a page; `digest` is what was seen."""
        at = self._tools.clock.now()

        async def job(tx: Tx) -> tuple[Interaction, Settled | Refused] | None:
            await self._questions.ledger.queue_up(tx)
            loaded = await self._questions.load(tx, interaction_id, lock=True)
            if loaded is None:
                return None
            interaction, row = loaded
            result: Settled | Refused = Refused(Why.CHANGED, "This request has changed since it was shown to you.")
            if interaction.digest.startswith(digest):
                result = desk.settle(interaction, click.choice, click.inputs, actor, where, at)
            if isinstance(result, Settled):
                stood = await self._questions.stand(tx, interaction, result.interaction, row["ref"], at)
                if not stood:
                    result = Refused(Why.ENDED, "Somebody else was faster. Your click changed nothing.")
            await self._write_down(tx, interaction, click, actor, where, result, at, by)
            return interaction, result

        settled = await self._tools.store.write(job)
        if settled is None:
            return Answer(accepted=False, words=NOT_OURS)
        before, result = settled
        if isinstance(result, Settled):
            self._ended(interaction_id, result.interaction.status)
            return Answer(accepted=True, words=_thanks(result.interaction), card=desk.card_of(result.interaction))
        self._count_refused(str(result.why))
        asked = actor is not None and actor.id in before.audience
        words = WHO if actor is None and _is_unnamed(click.person) else result.words
        return Answer(False, words, desk.card_of(before) if asked else None, result.field)

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        """The whole request behind a copy, for whoever was asked or holds the signed link."""
        ticket = self._tools.stamps.copy_ticket(token) if person else self._tools.stamps.page_ticket(token)
        copy = await self._copy(ticket) if ticket else None
        loaded = (
            await self._tools.store.read(lambda tx: self._questions.load(tx, copy.interaction_id)) if copy else None
        )
        if ticket is None or copy is None or loaded is None:
            return Answer(
                accepted=False, words="This link does not belong to a request here. It may have been cut off."
            )
        interaction, _ = loaded
        link = person is None
        actor = await self._actor(person or Person(LINK, token), copy)
        if person and actor is None and _is_unnamed(person):
            return Answer(accepted=False, words=WHO)
        if not link and (actor is None or actor.id not in interaction.audience):
            return Answer(accepted=False, words="You were not asked to decide this, so it is not shown to you.")
        words = desk.bar_to(interaction, actor, self._tools.clock.now())
        who = actor.name if actor else ""
        # The page answers as the copy's own reader, so nobody else is ever shown its address.
        page = self._tools.stamps.page(ticket) if actor and actor.id == copy.reader_id else ""
        return Review(desk.card_of(interaction), token, who, may_decide=not words, words=words, page=page)

    async def look(self, interaction_id: str, operator_id: str) -> Review | None:
        """The request for somebody who is signed in: everybody there may look, whoever was asked may decide."""
        loaded = await self._tools.store.read(lambda tx: self._questions.load(tx, interaction_id))
        if loaded is None:
            return None
        interaction, _ = loaded
        actor = await self._directory.find(operator_id)
        words = desk.bar_to(interaction, actor, self._tools.clock.now())
        return Review(desk.card_of(interaction), "", actor.name if actor else "", may_decide=not words, words=words)

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        """Audit what an edge refused by itself."""
        at, who = self._tools.clock.now(), _stranger(Person(platform, subject))
        self._count_refused("edge")
        detail: dict[str, JsonValue] = {"why": why}
        ledger = self._questions.ledger
        await self._tools.store.write(lambda tx: ledger.record(tx, at, who, "click.refused", "", platform, detail))

    def _ticket(self, token: str, person: Person) -> Ticket | None:
        stamps = self._tools.stamps
        return stamps.page_ticket(token) if person.platform == LINK else stamps.copy_ticket(token)

    async def _copy(self, ticket: Ticket) -> Copy | None:
        async def job(tx: Tx) -> Copy | None:
            row = await tx.row(COPY, {"id": ticket.delivery})
            if row is None:
                return None
            return Copy(row["interaction_id"], row["reader_kind"], row["reader_id"], row["channel"])

        return await self._tools.store.read(job)

    async def _actor(self, person: Person, copy: Copy) -> Actor | None:
        """Who clicked, as the directory knows them now. A room's link proves nobody."""
        if person.platform != LINK:
            return await self._directory.by_person(person)
        return await self._directory.find(copy.reader_id) if copy.reader_kind == ReaderKind.OPERATOR else None

    async def _write_down(
        self,
        tx: Tx,
        interaction: Interaction,
        click: Click,
        actor: Actor | None,
        where: str,
        result: Settled | Refused,
        at: datetime,
        by: str,
    ) -> None:
        who = actor.email if actor else _stranger(click.person)
        detail: dict[str, JsonValue] = {"choice": click.choice[:100], "digest": interaction.digest}
        if isinstance(result, Refused):
            action, detail = "click.refused", {**detail, "why": str(result.why)}
        else:
            action = "interaction.decided" if result.ended else "interaction.approved_once"
        on_behalf = who if by else ""
        await self._questions.ledger.record(tx, at, by or who, action, interaction.id, where, detail, on_behalf)


def _is_unnamed(person: Person) -> bool:
    """Whose address the platform did not name: it may not know it, or be silent at this moment."""
    return person.platform != LINK and not person.email


def _stranger(person: Person) -> str:
    """Whoever is nobody's operator, for the audit log. The subject of a link is its token, which stands in no log."""
    return LINK if person.platform == LINK else f"{person.platform}:{person.subject}"[:200]


def _thanks(interaction: Interaction) -> str:
    outcome = desk.outcome_of(interaction)
    if outcome is None:
        left = interaction.approvals - len(desk.approvals_of(interaction))
        return f"Noted. It waits for {left} more approval{'' if left == 1 else 's'}."
    return f"{outcome.text}."
