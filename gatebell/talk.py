"""How to talk with the server, without doing it: generators that ask for a request or a pause and get what came of it.

Both clients drive the same generators, one blocking, one on an event loop.
"""

import random
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gatebell import answers
from gatebell.answers import Interaction, Told
from gatebell.errors import FieldError, Rejected, Unreachable

T = TypeVar("T")

HOLD = 30.0  # seconds for which the server holds one request of a longer wait
ENDURANCE = 900.0  # seconds of silence that a wait for a person survives: a deploy, a restart, a night's maintenance
TRY_AGAIN = frozenset({429, 502, 503, 504})
SCATTER = random.SystemRandom()  # so that clients of one server do not all come back at once


@dataclass(frozen=True, slots=True)
class Send:
    method: str
    path: str
    body: object = None
    query: Mapping[str, str] | None = None
    seconds: float = 0.0  # for which the server may hold the request, on top of the client's time-out


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: Any
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer. `unsent` where it is certain that the server got nothing."""

    words: str
    unsent: bool


Step = Send | Pause
Outcome = Answered | Silence | None
Talk = Generator[Step, Outcome, T]


def event(said: Mapping[str, object], patience: float) -> Talk[Told]:
    answer = yield from _ask(Send("POST", "/api/v1/events", said), patience)
    return answers.told(answer)


def ask(said: Mapping[str, object], patience: float) -> Talk[Interaction]:
    """A key of its own makes it safe to send it again."""
    body = {"idempotency_key": str(uuid.uuid4()), **said}
    answer = yield from _ask(Send("POST", "/api/v1/interactions", body), patience)
    return answers.interaction(answer)


def get(interaction_id: str, patience: float) -> Talk[Interaction]:
    answer = yield from _ask(Send("GET", _path(interaction_id)), patience)
    return answers.interaction(answer)


def wait(interaction_id: str, seconds: float | None, patience: float) -> Talk[Interaction]:
    """Until it has ended, or as it stands when the time is over.

    A wait for a while gives up on a silent server `patience` after its end; only one without an end is for deploys.
    """
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        hold = HOLD if until is None else max(0.0, min(HOLD, until - time.monotonic()))
        send = Send("GET", _path(interaction_id), query={"wait": f"{hold:.3f}"}, seconds=hold)
        endurance = ENDURANCE if until is None else max(0.0, until - time.monotonic()) + patience
        found = answers.interaction((yield from _ask(send, endurance)))
        if found.ended or (until is not None and time.monotonic() >= until):
            return found


def consume(interaction: Interaction, patience: float) -> Talk[Interaction]:
    """Not sent again where the server may have got it: an approval that may be used up must not be used."""
    send = Send("POST", _path(interaction.id, "consume"), {"digest": interaction.digest})
    return answers.interaction((yield from _ask(send, patience, only_if_unsent=True)))


def withdraw(interaction_id: str, because: str, patience: float) -> Talk[Interaction]:
    send = Send("POST", _path(interaction_id, "withdraw"), {"because": because})
    try:
        return answers.interaction((yield from _ask(send, patience)))
    except Rejected as rejected:
        if rejected.status != 409:
            raise
        found = yield from get(interaction_id, patience)
        if found.status != "withdrawn":  # an earlier try that was not answered may have been the one
            raise
        return found


def asked(question: str, choices: Sequence[str] | Mapping[str, str], allow_other: bool) -> Mapping[str, object]:
    """The payload of a clarification. Labels alone are numbered, as an id cannot hold every character."""
    named = choices if isinstance(choices, Mapping) else {str(n): label for n, label in enumerate(choices, 1)}
    offered = [{"id": name, "label": label} for name, label in named.items()]
    return {"question": question, "choices": offered, "allow_other": allow_other}


def chosen(interaction: Interaction, choices: Sequence[str] | Mapping[str, str]) -> str:
    """The key or the label that was chosen, or what was written instead. Raises NotApproved."""
    if interaction.decision is None:
        ended = interaction.not_approved()
        raise ended or TimeoutError("nobody has answered yet")
    choice = interaction.decision.choice
    if "other" in interaction.decision.inputs and choice == "other":
        return interaction.decision.inputs["other"]
    return choice if isinstance(choices, Mapping) else choices[int(choice) - 1]


def _ask(send: Send, patience: float, *, only_if_unsent: bool = False) -> Talk[Any]:
    """Send until answered. Raises Rejected, or Unreachable after so many seconds without an answer."""
    until, pause = time.monotonic() + patience, 0.2
    while True:
        outcome = yield send
        match outcome:
            case Answered(status=status) if status not in TRY_AGAIN:
                return _read(outcome)
            case Answered():
                words, after = f"the server answers {outcome.status}", outcome.retry_after
            case Silence(unsent=False) if only_if_unsent:
                raise Unreachable(f"It is unclear whether the server got it, so it is not sent again: {outcome.words}")
            case Silence():
                words, after = outcome.words, None
            case None:
                raise TypeError("a request was driven as if it were a pause")
        pause = min(5.0, pause * 2)
        seconds = max(after or 0.0, pause * SCATTER.uniform(0.5, 1.0))
        if time.monotonic() + seconds > until:
            raise Unreachable(f"The server could not be reached for {patience:.0f} seconds: {words}")
        yield Pause(seconds)


def _read(answer: Answered) -> Any:
    said = answer.body if isinstance(answer.body, dict) else {}
    if answer.status < 300 and said:
        return said
    if answer.status < 400:  # a login page, a redirect: some other server
        raise Rejected(answer.status, "What answers there is not Gatebell: see GATEBELL_URL")
    errors = [FieldError(each["field"], each["detail"], each["mend"]) for each in said.get("errors", ())]
    raise Rejected(answer.status, said.get("detail", f"the server answers {answer.status}"), errors)


def _path(interaction_id: str, verb: str = "") -> str:
    return f"/api/v1/interactions/{interaction_id}{f'/{verb}' if verb else ''}"
