"""Interactions: a question is put to people, waited for, withdrawn, decided, and its approval used once."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from bot import canonical, signing
from bot.api.operation import Call, Reply, op
from bot.api.problem import Problem, Wrong, invalid, unfit
from bot.api.shapes import CopyState, Mailbox, Name, Page, PageOut, Prose, Strict
from bot.dispatch.notice import LONGEST_LIFE, Ask, Audience, InteractionView
from bot.keys import Scope
from bot.operators import normal
from interactions.card import Card, Status
from interactions.model import Question, ReasonRule, Requester
from interactions.registry import UnknownKind

PLACE = "api"  # as the audit log and decisions call it
LOOK = 1.0  # seconds between looks whether whoever waits is still there
T = TypeVar("T")


class AudienceIn(Strict):
    operators: list[Annotated[Name, Field(min_length=1, max_length=254)]] = Field(
        default=[], max_length=50, description="E-mail addresses or ids of those who are asked and may decide."
    )
    room: Name | None = Field(
        default=None, max_length=200, description="A room that is shown the card too; empty: the channel's own."
    )


class RequesterIn(Strict):
    email: Mailbox = Field(
        default="",
        max_length=254,
        description="This person never approves the request. With an operator's own key it is this operator.",
    )
    agent: Name = Field(default="", max_length=200)
    session: Name = Field(default="", max_length=200)


class InteractionIn(Strict):
    kind: Name = Field(max_length=100, description="blocked_action, write_confirmation, clarification, …")
    payload: dict[str, JsonValue] = Field(description="What the kind asks about; it is shown whole.")
    audience: AudienceIn = Field(default=AudienceIn(), description="Nobody named: the installation's recipient.")
    expires_in: float | None = Field(
        default=None, gt=0, le=LONGEST_LIFE, allow_inf_nan=False, strict=True, description="Seconds; null: no end."
    )
    requested_by: RequesterIn = RequesterIn()
    callback_url: Name = Field(default="", max_length=2000, description="Called once, signed, when it has ended.")
    idempotency_key: Name = Field(default="", max_length=200, description="Or the header Idempotency-Key.")
    thread: Name = Field(default="", max_length=200, description="Cards of one thread stand together.")
    approvals: int = Field(default=1, ge=1, le=20, strict=True, description="How many different people must approve.")
    reason: ReasonRule = ReasonRule.NONE


class DigestIn(Strict):
    digest: str = Field(min_length=1, max_length=64, description="The digest that creating it gave.")


class BecauseIn(Strict):
    because: Prose = Field(default="", max_length=500)


class DecisionIn(Strict):
    choice: Name = Field(min_length=1, max_length=75)
    reason: Prose = Field(default="", max_length=2000)
    inputs: dict[Annotated[Name, Field(max_length=75)], Annotated[Prose, Field(max_length=2000)]] = Field(
        default={}, max_length=20
    )


class Wait(Strict):
    wait: float = Field(default=0, ge=0, le=60, allow_inf_nan=False, description="Seconds to hold until it has ended.")


class Filter(Page):
    status: Literal["", "pending", "decided", "expired", "withdrawn", "undeliverable"] = ""


class DecisionOut(BaseModel):
    choice: str
    approved: bool | None = Field(description="Null where no choice of the question approves anything.")
    by: str
    channel: str
    decided_at: datetime
    reason: str = ""
    inputs: dict[str, str] = {}


class ApprovalsOut(BaseModel):
    needed: int
    given: list[str]


class DeliveryOut(BaseModel):
    """One reader's copy."""

    id: str
    reader: str
    channel: str
    state: CopyState
    attempts: int
    detail: str


class InteractionOut(BaseModel):
    id: str
    kind: str
    status: Status
    digest: str
    url: str
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    requested_by: dict[str, str]
    approvals: ApprovalsOut
    decision: DecisionOut | None = Field(default=None, description="There once it is decided.")
    because: str = Field(default="", description="Why it was withdrawn or could not be delivered.")
    consumed: bool = Field(default=False, description="There once the approval was used.")
    deliveries: list[DeliveryOut] = []


class InteractionsOut(PageOut):
    items: list[InteractionOut]


EXAMPLE: JsonValue = {
    "kind": "blocked_action",
    "payload": {"agent": "deploy-bot", "tool": "drive.delete", "arguments": {"path": "/reports/2025"}},
    "audience": {"operators": ["ana@example.com"]},
    "expires_in": 900,
    "requested_by": {"email": "dana@example.com", "agent": "deploy-bot"},
    "idempotency_key": "run-42-step-7",
}
DIGEST = {"digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}


@op(
    "POST",
    "/api/v1/interactions",
    Scope.INTERACTIONS_WRITE,
    body=InteractionIn,
    answers={201: InteractionOut, 200: InteractionOut},
    examples={"blocked_action": EXAMPLE},
    problems=(409,),
)
async def ask(call: Call, body: InteractionIn) -> Reply:
    """Put a question to people.

    The same idempotency key with the same body gives the same interaction and 200; with another body 409. What is asked
    is bound to `digest`, which is needed to use an approval.
    """
    question, key = _question(call, body), _idempotency_key(call, body)
    requester = await _requester(call, body.requested_by)
    if body.callback_url:
        await must_be_callable(call, body.callback_url)
    try:
        opened = await call.faces.dispatcher.ask(
            Ask(
                question=question,
                audience=Audience(tuple(body.audience.operators), body.audience.room),
                requester=requester,
                expires_in=body.expires_in,
                approvals=body.approvals,
                reason=body.reason,
                callback_url=body.callback_url,
                thread=body.thread,
                producer=call.key.id,
                idempotency_key=key,
                fingerprint=_fingerprint(body) if key else "",
            )
        )
    except canonical.NotCanonical as error:
        raise unfit(error.place, error.words, "Send it as a string.") from error
    return Reply(_out(opened.view), 201 if opened.created else 200)


@op(
    "GET",
    "/api/v1/interactions/{id}",
    Scope.INTERACTIONS_READ,
    Scope.INTERACTIONS_WRITE,
    query=Wait,
    answers={200: InteractionOut},
    problems=(404,),
)
async def view(call: Call, query: Wait) -> Reply:
    """Look at an interaction, or wait for its end."""
    waiting = call.faces.dispatcher.wait(call.path["id"], query.wait, call.producer)
    found = await _while_wanted(call, waiting)
    return Reply(_out(found or await call.faces.dispatcher.view(call.path["id"], call.producer)))


@op(
    "GET",
    "/api/v1/interactions",
    Scope.INTERACTIONS_READ,
    Scope.INTERACTIONS_WRITE,
    query=Filter,
    answers={200: InteractionsOut},
)
async def newest(call: Call, query: Filter) -> Reply:
    """List interactions, the newest first.

    A key sees what it asked itself, an admin's key everything. Copies are shown by the single interaction alone.
    """
    dispatcher = call.faces.dispatcher
    found = await dispatcher.newest(query.status, query.limit + 1, query.cursor, call.producer)
    more = found[query.limit - 1].id if len(found) > query.limit else None
    return Reply({"items": [dict(each.record) for each in found[: query.limit]], "next_cursor": more})


@op(
    "POST",
    "/api/v1/interactions/{id}/consume",
    Scope.INTERACTIONS_WRITE,
    body=DigestIn,
    answers={200: InteractionOut},
    examples={"digest": dict(DIGEST)},
    problems=(404, 409, 410),
)
async def consume(call: Call, body: DigestIn) -> Reply:
    """Use an approval, once, at the moment of doing what was approved.

    409: not approved, or used already. 422: the digest is not the one that was approved. 410: expired.
    """
    return Reply(_out(await call.faces.dispatcher.consume(call.path["id"], body.digest, call.producer)))


@op(
    "POST",
    "/api/v1/interactions/{id}/withdraw",
    Scope.INTERACTIONS_WRITE,
    body=BecauseIn,
    optional_body=True,
    answers={200: InteractionOut},
    examples={"because": {"because": "The run was cancelled."}},
    problems=(404, 409),
)
async def withdraw(call: Call, body: BecauseIn) -> Reply:
    """Take a question back. Every copy says so."""
    withdrawing = call.faces.dispatcher.withdraw(
        call.path["id"],
        body.because,
        call.producer,
        by=f"key:{call.key.id}",
        place=PLACE,
        on_behalf=f"operator:{call.key.operator_id}" if call.key.operator_id else "",
    )
    return Reply(_out(await withdrawing))


@op(
    "POST",
    "/api/v1/interactions/{id}/decide",
    Scope.INTERACTIONS_WRITE,
    body=DecisionIn,
    answers={200: InteractionOut},
    examples={"approve": {"choice": "approve"}},
    problems=(403, 404, 409),
)
async def decide(call: Call, body: DecisionIn) -> Reply:
    """Answer a question as the operator to whom the key belongs.

    Nobody decides who was not asked, so an admin's key cannot decide for somebody else: the key must have been made for
    one operator (`gatebell key create NAME --scope interactions:write --operator ana@example.com`).
    """
    if not call.key.operator_id:
        words = "This key belongs to no operator, so it cannot answer for one"
        mend = "Make one with: gatebell key create NAME --scope interactions:write --operator ana@example.com"
        raise Problem(403, words, [Wrong("Authorization", words, mend)])
    inputs = body.inputs | ({"reason": body.reason} if body.reason else {})
    dispatcher, id_ = call.faces.dispatcher, call.path["id"]
    by = f"key:{call.key.id}"
    answer = await dispatcher.decide(id_, body.choice, call.key.operator_id, inputs, PLACE, by)
    found = await dispatcher.view(id_)
    if answer.accepted:
        return Reply(_out(found))
    if answer.field and answer.card:  # as the question stood then: it may have ended since
        raise _unanswerable(answer.field, answer.words, answer.card)
    # Who was not asked is shown no card, and does not learn whether it has ended either.
    too_late = answer.card is not None and found.status != Status.PENDING
    raise Problem(409 if too_late else 403, answer.words)


def _unanswerable(field: str, words: str, card: Card) -> Problem:
    """A choice that the question does not have, or an input that does not fit it, as the body names it."""
    if field == "choice":
        return unfit(field, words, f"Send one of {', '.join(each.id for each in card.choices)}.")
    most = next(each.max_length for each in card.inputs if each.id == field)
    place = field if field in DecisionIn.model_fields else f"inputs.{field}"
    return unfit(place, words, f"Send a text of 1 to {most} characters.")


def _question(call: Call, body: InteractionIn) -> Question:
    kinds = call.faces.kinds
    try:
        return kinds.question(body.kind, body.payload)
    except UnknownKind as error:
        raise unfit("kind", str(error), f"Send one of {', '.join(kinds.names)}.") from error
    except ValidationError as error:
        raise invalid(error, kinds.kind(body.kind).model_fields, "payload") from error


async def _requester(call: Call, asked: RequesterIn) -> Requester:
    """With an operator's own key it is this operator who asks, so that nobody approves what they asked themselves."""
    owner = await owner_of(call)
    email = asked.email or owner
    must_be_the_owner(owner, email, "requested_by.email")
    return Requester(email, asked.agent, asked.session)


async def owner_of(call: Call) -> str:
    """The address of the operator whose own key this is; "" for the key of a program."""
    owner = await call.faces.operators.by_id(call.key.operator_id) if call.key.operator_id else None
    return owner.email if owner else ""


def must_be_the_owner(owner: str, named: str, field: str) -> None:
    """Raises Problem where an operator's own key asks in the name of somebody else, or of nobody."""
    if owner and normal(named) != owner:
        words = f"this key belongs to {owner}, who is therefore the one who asks"
        raise unfit(field, words, f"Name {owner}, or ask with a key that belongs to no operator.")


async def must_be_callable(call: Call, url: str, field: str = "callback_url") -> None:
    """Raises Problem for an address that the owner does not let us call."""
    try:
        await call.faces.check_url(url)
    except ValueError as error:
        mend = "Give a public https address, or let the owner add its host to ALLOWED_PRIVATE_HOSTS."
        raise unfit(field, str(error), mend) from error


def _idempotency_key(call: Call, body: InteractionIn) -> str:
    header = call.headers.get("Idempotency-Key", "").strip()
    if header and body.idempotency_key and header != body.idempotency_key:
        raise unfit("idempotency_key", "says something else than the header Idempotency-Key", "Send one of them.")
    if len(header) > 200 or not header.isprintable():
        raise unfit("Idempotency-Key", "is longer than 200 characters or not printable", "Send a shorter one.")
    return header or body.idempotency_key


def _fingerprint(body: InteractionIn) -> str:
    """What the request says, however it was written down."""
    return signing.fingerprint(body.model_dump(mode="json", exclude={"idempotency_key"}, exclude_defaults=True))


async def _while_wanted(call: Call, work: Awaitable[T]) -> T | None:
    """The result, or None once the server shuts down: a held request is answered, not cut off.

    Nothing goes on for a caller who has gone: those who come again and again would pile up.
    """
    running = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(call.faces.state.closed())
    try:
        while not (running.done() or stop.done() or call.is_gone()):
            await asyncio.wait({running, stop}, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
        return await running if running.done() else None
    finally:
        running.cancel()
        stop.cancel()


def _out(found: InteractionView) -> Mapping[str, JsonValue]:
    copies: list[JsonValue] = [
        {
            "id": copy.id,
            "reader": copy.reader,
            "channel": copy.channel,
            "state": copy.state,
            "attempts": copy.attempts,
            "detail": copy.detail,
        }
        for copy in found.deliveries
    ]
    return {**found.record, "deliveries": copies}


OPERATIONS = (ask, newest, view, consume, withdraw, decide)
