"""What every rehearsal platform has: a port on loopback, a journal, failures, and a hook for whoever watches it."""

import asyncio
import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from bot.rehearsal.failure import Failure, Failures, Rule

Json = dict[str, Any]
T = TypeVar("T")
Watcher = Callable[["Platform"], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One request that the platform got, and what it answered; status 0 is an answer that was never given."""

    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int
    answer: Any
    took_ms: float = 0.0


class Platform(ABC):
    """Starts, stops, remembers, fails on demand."""

    name = "platform"

    def __init__(self, *, clock: Callable[[], float] = time.time, host: str = "127.0.0.1", port: int = 0) -> None:
        self.clock = clock
        self.host = host
        self.port = port
        self.journal: list[Entry] = []
        self.failures = Failures()
        self._healed = asyncio.Event()
        self._watchers: list[Watcher] = []
        self._waiters: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.heal()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def fail(
        self,
        failure: Failure,
        *,
        method: str | None = None,
        path: str | None = None,
        to: str | None = None,
        part: str | None = None,
        times: int | None = None,
    ) -> Rule:
        """From now on calls that fit every given word fail so; `path` is a piece of the path, `to` a reader's name."""
        return self.failures.add(Rule(failure, method, path, to, part, times))

    def heal(self, rule: Rule | None = None) -> None:
        self.failures.heal(rule)
        self._healed.set()
        self._healed = asyncio.Event()

    def record(self, entry: Entry) -> None:
        self.journal.append(entry)
        self.changed()

    def on_change(self, watcher: Watcher) -> Callable[[], None]:
        """Calls the watcher after each change; gives back what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def changed(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        for watcher in list(self._watchers):
            result = watcher(self)
            if inspect.iscoroutine(result):
                self.run_later(result)

    def run_later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, question: Callable[[], T | None], within: float = 5.0, what: str = "a change") -> T:
        """The first truthy answer to the question, asked again after each change."""
        try:
            async with asyncio.timeout(within):
                while not (answer := question()):
                    await self._next_change()
        except TimeoutError:
            raise TimeoutError(f"{self.name}: waited {within:g} s for {what}") from None
        return answer

    async def _next_change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def held(self) -> None:
        """Returns when somebody heals or stops the platform."""
        await self._healed.wait()
