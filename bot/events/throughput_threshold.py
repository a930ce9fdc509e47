from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from bot.dispatch.notice import Audience, Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import Story, card_of
from bot.events.words import Named
from interactions.text import code, literal

WINDOWS = {"1h": "1 hour", "24h": "24 hours"}


class Crossing(Context):
    user: Named
    tool: Named
    window: Literal["1h", "24h"]
    count: int = Field(ge=0)
    limit: int = Field(ge=0)


def crossing_of(event: Event) -> Crossing:
    """What was reported. Raises pydantic.ValidationError that names `context.<field>`."""
    return read(Crossing, event)


class ThroughputThreshold:
    type: ClassVar[str] = "throughput.threshold"
    title: ClassVar[str] = "Throughput threshold crossed"
    meaning: ClassVar[str] = "A user called a tool more often within an hour or a day than its limit. Told to the room."
    context: ClassVar[ContextClass] = Crossing

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = crossing_of(event)
        user, tool, window = literal(told.user), code(told.tool), WINDOWS[told.window]
        story = Story(
            title=f"{told.user} called {told.tool} {told.count:,} times in {window}",
            happened=f"{user} called {tool} {told.count:,} times within {window}; the limit is {told.limit:,}.",
            matters="That is a loop, a bulk export, or a limit that is too low.",
            do=f"Ask {user} what runs there, or raise the limit.",
            resolved=f"{user} is below the limit of {told.limit:,} calls of {tool} within {window} again.",
            facts=(
                ("User", told.user),
                ("Tool", told.tool),
                ("Count", f"{told.count:,} in {window}"),
                ("Limit", f"{told.limit:,}"),
            ),
        )
        return Notice(event, card_of(event, story, told, at), Audience(room=""))
