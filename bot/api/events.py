"""Events: something happened, and somebody may have to know."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from pydantic import BaseModel, Discriminator, Field, JsonValue, Tag, ValidationError

from bot.api.interactions import must_be_callable, must_be_the_owner, owner_of
from bot.api.operation import Call, Reply, op
from bot.api.problem import Problem, Wrong, invalid, unfit
from bot.api.shapes import AnyPhase, AnySeverity, Moment, Name, Prose, Strict
from bot.dispatch.notice import Ask, Event, MayAsk, Phase, Result, Told, Unfit
from bot.keys import Scope
from interactions.card import Severity

MOST = 500
T = TypeVar("T")


class EventIn(Strict):
    type: Name = Field(min_length=1, max_length=100, description="Such as oauth.refresh_failed, or any name of yours.")
    severity: AnySeverity = Severity.MEDIUM
    status: AnyPhase = Phase.FIRING
    summary: Prose = Field(min_length=1, max_length=2000)
    source: Name = Field(default="", max_length=200, description="The system that reports.")
    dedup_key: Name = Field(
        default="", max_length=255, description="What makes two events of a source and type the same; else the context."
    )
    context: dict[str, JsonValue] = Field(default={}, max_length=100, description="What the type needs, and more.")
    labels: dict[Annotated[Name, Field(max_length=100)], Annotated[Prose, Field(max_length=500)]] = Field(
        default={}, max_length=100
    )
    details: Prose = Field(default="", max_length=20_000, description="Markdown.")
    occurred_at: Moment | None = None


class EventOut(BaseModel):
    event_id: str
    alert_id: str | None = Field(default=None, description="For a later release; never there yet.")
    interaction_id: str | None = Field(default=None, description="The question that it became, where it became one.")
    result: Result
    reason: str | None = Field(default=None, description="Why nobody was told, where nobody was.")


def _how_many(value: object) -> str:
    return "list of events" if isinstance(value, list) else "one event"


EventsIn = Annotated[
    Annotated[EventIn, Tag("one event")] | Annotated[list[EventIn], Field(max_length=MOST), Tag("list of events")],
    Discriminator(_how_many),
]
EXAMPLE: JsonValue = {
    "type": "oauth.refresh_failed",
    "severity": "high",
    "summary": "GitHub no longer accepts Dana's refresh token",
    "source": "gateway-1",
    "context": {"service": "github", "user": "dana@example.com", "error": "invalid_grant"},
}


@op(
    "POST",
    "/api/v1/events",
    Scope.EVENTS_WRITE,
    body=EventsIn,
    answers={202: EventOut | list[EventOut]},
    examples={"oauth": EXAMPLE, "list": [EXAMPLE]},
)
async def tell(call: Call, body: EventIn | list[EventIn]) -> Reply:
    """Report an event, or a list of them.

    202 means stored: whatever happens then, it is told or its end is shown. Of a list with a wrong event nothing is
    stored. A list is taken in order; after a 503 the events before the failing one are stored, and sending the list
    again tells none of them twice within the cooldown.
    """
    dispatcher = call.faces.dispatcher
    if isinstance(body, EventIn):
        return Reply(_out(await _held(call, body, dispatcher.tell)), 202)
    places = [(each, f"[{place}]") for place, each in enumerate(body)]
    for each, place in places:
        await _held(call, each, dispatcher.check, place)
    return Reply([_out(await _held(call, each, dispatcher.tell, place)) for each, place in places], 202)


async def _held(call: Call, event: EventIn, to: Callable[[Event, MayAsk], Awaitable[T]], place: str = "") -> T:
    """The event held to this; what is wrong with it is named as its producer has written it. Raises Problem."""
    said = Event(
        type=event.type,
        summary=event.summary,
        severity=event.severity,
        source=event.source,
        phase=event.status,
        dedup_key=event.dedup_key,
        context=event.context,
        labels=event.labels,
        details=event.details,
        occurred_at=event.occurred_at,
        producer=call.key.id,
    )
    try:
        return await to(said, lambda asked: _may_ask(call, asked, place))
    except ValidationError as error:  # the context is not what this type of event brings
        raise invalid(error, prefix=place) from error
    except Unfit as error:  # the question that it opens cannot be put so
        decision = f"{place}.context.decision".lstrip(".")
        raise unfit(
            f"{decision}.{error.field.removeprefix('audience').lstrip('.')}".rstrip("."), error.words
        ) from error


async def _may_ask(call: Call, asked: Ask, place: str) -> None:
    """An event that opens a question is held to what putting a question takes. Raises Problem."""
    if not call.key.allows(Scope.INTERACTIONS_WRITE):
        words = f"The key “{call.key.name}” lacks the scope {Scope.INTERACTIONS_WRITE}, which an event that asks needs"
        mend = f"gatebell key create NAME --scope {Scope.EVENTS_WRITE} --scope {Scope.INTERACTIONS_WRITE}"
        raise Problem(403, words, [Wrong("Authorization", words, mend)])
    must_be_the_owner(await owner_of(call), asked.requester.email, f"{place}.context.user".lstrip("."))
    if asked.callback_url:
        await must_be_callable(call, asked.callback_url, f"{place}.context.decision.callback_url".lstrip("."))


def _out(told: Told) -> JsonValue:
    out: dict[str, JsonValue] = {"event_id": told.event_id, "result": told.result.value}
    if told.interaction_id:
        out["interaction_id"] = told.interaction_id
    if told.reason:
        out["reason"] = told.reason
    return out


OPERATIONS = (tell,)
