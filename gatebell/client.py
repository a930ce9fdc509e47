"""The client that blocks."""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Self, TypeVar, cast

import httpx

from gatebell import talk
from gatebell.answers import Interaction, Told
from gatebell.arguments import shown
from gatebell.shared import HOUR, Choices, Client, People, answered, first_line, id_of, silence
from gatebell.talk import Outcome, Pause, Step, Talk

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Gatebell(Client):
    """Tell people, ask them, and use their answers. Threads may share one."""

    @functools.cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self._headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def event(
        self,
        event_type: str,
        summary: str,
        *,
        severity: str = "medium",
        status: str = "firing",
        source: str = "",
        dedup_key: str = "",
        context: Mapping[str, object] | None = None,
        labels: Mapping[str, str] | None = None,
        details: str = "",
    ) -> Told:
        """Report that something happened. Raises Rejected, Unreachable."""
        said = {
            "severity": severity,
            "status": status,
            "source": source,
            "dedup_key": dedup_key,
            "context": context or {},
            "labels": labels or {},
            "details": details,
        }
        return self._drive(self._event(event_type, summary, said))

    def ask(
        self,
        kind: str,
        payload: Mapping[str, object],
        *,
        to: People = (),
        room: str | None = None,
        expires_in: float | None = None,
        requested_by: str = "",
        approvals: int = 1,
        reason: str = "none",
        callback_url: str = "",
        thread: str = "",
        idempotency_key: str = "",
    ) -> Interaction:
        """Put a question to people, and do not wait. Raises Rejected, Unreachable."""
        said = {
            "room": room,
            "expires_in": expires_in,
            "approvals": approvals,
            "reason": reason,
            "callback_url": callback_url,
            "thread": thread,
            "idempotency_key": idempotency_key,
        }
        return self._drive(self._ask(kind, payload, to, requested_by, said))

    def get(self, interaction: Interaction | str) -> Interaction:
        """How a question stands now."""
        return self._drive(talk.get(id_of(interaction), self._patience))

    def wait(self, interaction: Interaction | str, seconds: float | None = None) -> Interaction:
        """The question once it has ended, or as it stands after so many `seconds`.

        Without `seconds` it lives through 15 minutes without the server. Raises Rejected, Unreachable.
        """
        return self._drive(self._wait(interaction, seconds))

    def approve(
        self,
        tool: str,
        arguments: object = None,
        *,
        summary: str = "",
        to: People = (),
        expires_in: float = HOUR,
        requested_by: str = "",
        approvals: int = 1,
        reason: str = "none",
    ) -> Interaction:
        """Wait for a person's yes. Raises Denied, Expired, Withdrawn, Undeliverable.

        `consume` the result right before doing it: an approval counts once, and for exactly these arguments.
        """
        said = {"expires_in": expires_in, "approvals": approvals, "reason": reason}
        return self._drive(self._approve(tool, arguments, summary, to, requested_by, said))

    def choose(
        self,
        question: str,
        choices: Choices,
        *,
        to: People = (),
        allow_other: bool = False,
        expires_in: float = HOUR,
    ) -> str:
        """Wait for a person's choice: the label, the key of a mapping, or what was written instead.

        Raises Expired, Withdrawn, Undeliverable.
        """
        return self._drive(self._choose(question, choices, allow_other, to, {"expires_in": expires_in}))

    def consume(self, interaction: Interaction) -> Interaction:
        """Use an approval, once. Raises Rejected where it is used, denied or expired."""
        return self._drive(talk.consume(interaction, self._patience))

    def withdraw(self, interaction: Interaction | str, because: str = "") -> Interaction:
        """Take a question back. Raises Rejected where it has ended."""
        return self._drive(talk.withdraw(id_of(interaction), because, self._patience))

    def requires_approval(
        self,
        *,
        to: People = (),
        expires_in: float = HOUR,
        tool: str = "",
        summary: str = "",
        requested_by: str = "",
        approvals: int = 1,
        reason: str = "none",
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Run the function only after a person has seen its arguments and said yes, once per yes.

        Raises what `approve` raises. An `async def` waits in a thread, so that its event loop goes on.
        """

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            def clear(args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
                name, words = tool or function.__name__, summary or first_line(function)
                look = functools.partial(shown, function, args, kwargs)
                said = {"expires_in": expires_in, "approvals": approvals, "reason": reason}
                self._drive(self._clear(look, name, words, to, requested_by, said))

            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
                    await asyncio.to_thread(clear, args, kwargs)
                    return await function(*args, **kwargs)

                return cast("Callable[P, R]", later)

            @functools.wraps(function)
            def now(*args: P.args, **kwargs: P.kwargs) -> R:
                clear(args, kwargs)
                return function(*args, **kwargs)

            return now

        return decorate

    def _drive(self, steps: Talk[T]) -> T:
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return cast("T", end.value)
            outcome = self._do(step)

    def _do(self, step: Step) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return answered(
                self._http.request(
                    step.method, step.path, json=step.body, params=step.query, timeout=self._timeouts(step)
                )
            )
        except httpx.TransportError as error:
            return silence(error)
