"""Everything that the API needs of the product, handed in by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.audit.ledger import Ledger
from bot.channels.contract import Answer
from bot.clock import Clock
from bot.dispatch.notice import Ask, DeliveryView, Event, InteractionView, MayAsk, Opened, Told
from bot.keys import Keys
from bot.metrics import Metrics
from bot.operators import Operators
from bot.settings import Settings
from bot.store import Store
from bot.thresholds import Thresholds
from interactions.registry import Registry


class Dispatch(Protocol):
    """What of the dispatcher the API calls. `producer` None means: whoever asked."""

    async def tell(self, event: Event, may_ask: MayAsk | None = None) -> Told: ...

    async def check(self, event: Event, may_ask: MayAsk | None = None) -> None: ...

    async def ask(self, ask: Ask) -> Opened: ...

    async def view(self, interaction_id: str, producer: str | None = None) -> InteractionView: ...

    async def wait(self, interaction_id: str, seconds: float, producer: str | None = None) -> InteractionView: ...

    async def newest(
        self, status: str = "", limit: int = 50, before: str = "", producer: str | None = None
    ) -> list[InteractionView]: ...

    async def deliveries(
        self, limit: int, before: str = "", producer: str | None = None
    ) -> tuple[DeliveryView, ...]: ...

    async def withdraw(
        self,
        interaction_id: str,
        because: str = "",
        producer: str | None = None,
        by: str = ...,
        place: str = ...,
        on_behalf: str = ...,
    ) -> InteractionView: ...

    async def consume(self, interaction_id: str, digest: str, producer: str | None = None) -> InteractionView: ...

    async def decide(
        self, interaction_id: str, choice: str, operator_id: str, inputs: Mapping[str, str], where: str, by: str = ...
    ) -> Answer: ...


class State:
    """Whether the server still takes new work; whoever holds a request open can wait for the end of that."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    @closing.setter
    def closing(self, closing: bool) -> None:
        if closing:
            self._closing.set()
        else:
            self._closing.clear()

    async def closed(self) -> None:
        """Return when the server begins to shut down."""
        await self._closing.wait()


@dataclass(frozen=True, slots=True)
class Faces:
    """`check_url` raises ValueError for an address that may not be called; `people_changed` is told that they have."""

    dispatcher: Dispatch
    kinds: Registry
    operators: Operators
    keys: Keys
    thresholds: Thresholds
    ledger: Ledger
    store: Store
    clock: Clock
    metrics: Metrics
    settings: Callable[[], Settings]
    check_url: Callable[[str], Awaitable[str]]
    state: State = field(default_factory=State)
    people_changed: Callable[[], None] = lambda: None
