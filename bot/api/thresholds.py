"""Thresholds: what a gateway that counts calls asks for, so that it reports what is worth telling and no more."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from bot.api.operation import Call, Reply, op
from bot.keys import Scope
from bot.thresholds import Threshold


class ThresholdOut(BaseModel):
    """So many calls of a tool by a user within the window are told."""

    id: str
    user: str = Field(description="In small letters; empty for any user.")
    tool: str = Field(description="Empty for any tool.")
    window: Literal["1h", "24h"]
    limit: int
    room: str = Field(description="Where it is told; empty for each channel's own room.")
    on: bool = Field(description="One that is off is as if it were not there.")


class ThresholdsOut(BaseModel):
    items: list[ThresholdOut]


@op("GET", "/api/v1/thresholds", Scope.EVENTS_WRITE, answers={200: ThresholdsOut})
async def thresholds(call: Call) -> Reply:
    """List the thresholds of throughput, in the order in which they count.

    The first that is on and fits user, tool and window decides. A `throughput.threshold` with a count below its limit
    is held back.
    """
    return Reply({"items": [_out(each) for each in await call.faces.thresholds.list()]})


def _out(found: Threshold) -> JsonValue:
    return {
        "id": found.id,
        "user": found.user,
        "tool": found.tool,
        "window": found.window,
        "limit": found.limit,
        "room": found.room,
        "on": found.on,
    }


OPERATIONS = (thresholds,)
