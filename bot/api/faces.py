"""Everything that the API needs of the product, handed in by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.channels.contract import Answer
from bot.dispatch.notice import Ask, Event, InteractionView, Opened, Told
from bot.keys import Keys
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.operators import Operators
from bot.store import Store
from interactions.registry import Registry


class Dispatch(Protocol):
    """What of the dispatcher the API calls. `producer` None means: whoever asked."""

    async def tell(self, event: Event) -> Told: ...

    async def ask(self, ask: Ask) -> Opened: ...

    async def view(self, interaction_id: str, producer: str | None = None) -> InteractionView: ...

    async def wait(self, interaction_id: str, seconds: float, producer: str | None = None) -> InteractionView: ...

    async def newest(
        self, status: str = "", limit: int = 50, before: str = "", producer: str | None = None
    ) -> list[InteractionView]: ...

    async def withdraw(
        self, interaction_id: str, because: str = "", producer: str | None = None
    ) -> InteractionView: ...

    async def consume(self, interaction_id: str, digest: str, producer: str | None = None) -> InteractionView: ...

    async def decide(
        self, interaction_id: str, choice: str, operator_id: str, inputs: Mapping[str, str], where: str
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Faces:
    """`check_url` raises ValueError for an address that may not be called. `stopping` is set when shutdown begins.

    `move_clock` moves time forward and returns the new moment; None on every real installation. `people_changed` is
    called after operators were changed.
    """

    dispatcher: Dispatch
    operators: Operators
    keys: Keys
    ledger: Ledger
    store: Store
    metrics: Metrics
    kinds: Registry
    now: Callable[[], datetime]
    check_url: Callable[[str], Awaitable[None]]
    people_changed: Callable[[], None] = lambda: None
    move_clock: Callable[[float], datetime] | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
