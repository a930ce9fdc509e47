"""Deliveries: each reader's copy of whatever was shown, for monitoring from outside."""

from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from bot.api.operation import Call, Reply, op
from bot.api.shapes import CopyState, Page, PageOut
from bot.dispatch.notice import DeliveryView
from bot.keys import Scope


class ListedDeliveryOut(BaseModel):
    """One reader's copy."""

    id: str
    interaction_id: str | None = Field(description="Null for the copy of a mere notice.")
    reader: str
    channel: str
    state: CopyState
    attempts: int
    detail: str
    created_at: datetime


class DeliveriesOut(PageOut):
    items: list[ListedDeliveryOut]


@op(
    "GET",
    "/api/v1/deliveries",
    Scope.INTERACTIONS_READ,
    query=Page,
    answers={200: DeliveriesOut},
)
async def deliveries(call: Call, query: Page) -> Reply:
    """List deliveries, the newest first.

    A key sees what its own interactions and events led to, an admin's key everything.
    """
    found = await call.faces.dispatcher.deliveries(query.limit + 1, query.cursor, call.producer)
    shown = found[: query.limit]
    items: list[JsonValue] = [_out(each) for each in shown]
    return Reply({"items": items, "next_cursor": shown[-1].id if len(found) > query.limit else None})


def _out(copy: DeliveryView) -> JsonValue:
    return {
        "id": copy.id,
        "interaction_id": copy.interaction_id or None,
        "reader": copy.reader,
        "channel": copy.channel,
        "state": copy.state,
        "attempts": copy.attempts,
        "detail": copy.detail,
        "created_at": copy.created_at.isoformat() if copy.created_at else None,
    }


OPERATIONS = (deliveries,)
