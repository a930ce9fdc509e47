"""What an event class is, and how it reads the context that a producer sent."""

from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from bot.dispatch.notice import Event, Notice


class Context(BaseModel):
    """What a type of event has to bring. Whatever else comes along is shown as facts."""

    model_config = ConfigDict(frozen=True, extra="allow")


ContextClass = type[Context]


class EventClass(Protocol):
    """`type` is what producers send, `title` and `meaning` are for the pages that list the classes."""

    type: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    context: ClassVar[ContextClass]

    def notice(self, event: Event, at: datetime | None = None) -> Notice:
        """`at` is when it was heard of, which counts where its producer names no moment.

        Raises pydantic.ValidationError that names `context.<field>`.
        """
        ...


C = TypeVar("C", bound=Context)


class _Brought(BaseModel, Generic[C]):
    context: C


def read(kind: type[C], event: Event, **otherwise: str) -> C:
    """The event's context as its class knows it; `otherwise` stands for what is missing, where it is not empty."""
    context = {name: value for name, value in otherwise.items() if value} | dict(event.context)
    brought: _Brought[C] = _brought(kind).model_validate({"context": context})
    return brought.context


@cache
def _brought(kind: type[Context]) -> Any:
    """pydantic builds a generic's model anew when nobody has kept it, which takes longer than reading an event."""
    return _Brought.__class_getitem__(kind)
