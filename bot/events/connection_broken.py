from datetime import datetime
from typing import ClassVar

from bot.dispatch.notice import Event, Notice
from bot.events.contract import Context, ContextClass, read
from bot.events.story import Story, card_of
from bot.events.words import ErrorText, Named
from interactions.text import code, literal


class Break(Context):
    connection: Named
    error: ErrorText = ""


class ConnectionBroken:
    type: ClassVar[str] = "connection.broken"
    title: ClassVar[str] = "Connection broken"
    meaning: ClassVar[str] = "A server or service behind the gateway can no longer be reached."
    context: ClassVar[ContextClass] = Break

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        told = read(Break, event, connection=_named_otherwise(event))
        name = literal(told.connection)
        because = f": {code(told.error)}" if told.error else ""
        story = Story(
            title=f"{told.connection} cannot be reached",
            happened=f"The connection to {name} is broken{because}.",
            matters="Every call that goes there fails.",
            do=f"Check that {name} runs and that its address and credentials are still right.",
            resolved=f"{name} can be reached again. There is nothing to do.",
            facts=(("Connection", told.connection), ("Error", told.error)),
        )
        return Notice(event, card_of(event, story, told, at))


def _named_otherwise(event: Event) -> str:
    """Gateways call it a server or a service; where they say neither, whoever told it is meant."""
    names = (event.context.get("server"), event.context.get("service"), event.source)
    return next((name for name in names if isinstance(name, str) and name.strip()), "")
