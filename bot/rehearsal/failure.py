"""How a platform can be made to misbehave: one small language for all of them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    ANSWER = "answer"
    ERROR = "error"
    HANG = "hang"
    RESET = "reset"
    GARBAGE = "garbage"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Failure:
    """`late` means that the platform does its work first and only the answer is spoiled."""

    kind: Kind
    status: int = 200
    code: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    late: bool = False


def http(status: int, body: str = "", *, headers: dict[str, str] | None = None, late: bool = False) -> Failure:
    return Failure(Kind.ANSWER, status=status, body=body, headers=headers or {}, late=late)


def status(code: int, *, retry_after: float | None = None, late: bool = False) -> Failure:
    """An HTTP status, or an SMTP reply code on the mailbox."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return Failure(Kind.ANSWER, status=code, headers=headers, late=late)


def error(code: str, *, status: int = 0) -> Failure:
    """The platform's own kind of refusal, with this code; `status` 0 is the status it uses for such errors."""
    return Failure(Kind.ERROR, status=status, code=code)


def redirect(location: str, *, status: int = 302) -> Failure:
    return http(status, headers={"Location": location})


def hang() -> Failure:
    """No answer until `heal()` or `stop()`."""
    return Failure(Kind.HANG)


def reset(*, late: bool = False) -> Failure:
    return Failure(Kind.RESET, late=late)


def garbage() -> Failure:
    return Failure(Kind.GARBAGE, body='{"ok": tru')


def slow(seconds: float) -> Failure:
    """A right answer, but late."""
    return Failure(Kind.SLOW, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the platform sees it, before it answers."""

    method: str
    path: str
    part: str = ""
    destinations: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Rule:
    failure: Failure
    method: str | None = None
    path: str | None = None
    to: str | None = None
    part: str | None = None
    times: int | None = None
    hits: int = 0

    def covers(self, call: Call) -> bool:
        return (
            (self.times is None or self.hits < self.times)
            and (self.method is None or self.method == call.method)
            and (self.path is None or self.path in call.path)
            and (self.part is None or self.part == call.part)
            and (self.to is None or _meets(self.to, call.destinations))
        )


def _meets(wanted: str, destinations: frozenset[str]) -> bool:
    return wanted.casefold() in {name.casefold() for name in destinations}


class Failures:
    """The rules in force; the latest that covers a call wins."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    def take(self, call: Call) -> Failure | None:
        for rule in reversed(self._rules):
            if rule.covers(call):
                rule.hits += 1
                return rule.failure
        return None

    def heal(self, rule: Rule | None = None) -> None:
        self._rules = [] if rule is None else [each for each in self._rules if each is not rule]
