"""Logs over the standard library: JSON lines for machines, short lines on a terminal, and no secret in either.

structlog is not used: importing it imports rich, which costs an idle server more memory than everything in this file.
"""

import json
import logging
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TextIO

HIDDEN = "•••"

_NAMES = (
    r"token|secret|password|passwd|authorization|api[_-]?key|signing|credential|cookie|private[_-]?key|routing[_-]?key"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
# Each of these passes over a text once, whatever stands in it: who waits for a mask is the whole server. So no pattern
# may begin again within what it has just looked through in vain.
_PATTERNS = (
    re.compile(r"(?i)\b(bearer|basic|genie ?key)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"()\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+"),
    re.compile(r"()\bxapp-[A-Za-z0-9-]+"),
    re.compile(r"()\b(?:gb|notify)_[A-Za-z0-9_-]{20,}"),
    re.compile(r"()\bwhsec_[A-Za-z0-9+/=_-]+"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,4}"),
    re.compile(r"(/d/)[A-Za-z0-9._~%-]{8,}"),
    re.compile(r"(/(?:login|setup)/)[A-Za-z0-9_-]{20,}"),
    re.compile(r"(hooks\.slack\.com/)[A-Za-z0-9/_-]+"),
    re.compile(r"(/bot)\d+:[A-Za-z0-9_-]{20,}"),
    re.compile(r"(://[^\s:/@]*:)[^\s/@]+(?=@)"),
    re.compile(rf"(?i)(?<!\w)((?>\w*(?:{_NAMES}))\w*+[\"']?\s*+[:=]\s*+[\"']?)(?!{HIDDEN})[^\"'\s,;&)}}\]]{{4,}}"),
)


class Mask:
    """Takes secrets out of text and JSON: by the names they stand under, by how they look, by the values themselves."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """The secret values to look for from now on. Very short ones would black out innocent words."""
        values = {form for secret in secrets if len(secret) >= 6 for form in _forms(secret)}
        longest_first = sorted(values, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest_first))) if values else None

    def text(self, text: str) -> str:
        if self._values:
            text = self._values.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(_keep_name, text)
        return text

    def value(self, value: Any, name: str = "") -> Any:
        """JSON without secrets; whatever else there is becomes text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if name and _SECRET_NAME.search(name):
            return HIDDEN
        if isinstance(value, Mapping):
            return {str(key): self.value(inner, str(key)) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        return self.text(str(value))


def _forms(secret: str) -> tuple[str, ...]:
    """A secret as it is, and as JSON and repr write it."""
    return (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1])


def _keep_name(match: re.Match[str]) -> str:
    kept = match.group(1) or ""
    return f"{kept}{' ' if kept.isalpha() else ''}{HIDDEN}"


_bound: ContextVar[Mapping[str, object]] = ContextVar("logged", default=MappingProxyType({}))


@contextmanager
def bound(**facts: object) -> Iterator[None]:
    """Facts that every line says while the context lasts, such as a request's id."""
    token = _bound.set({**_bound.get(), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class _Lines(logging.Formatter, ABC):
    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        facts = self._mask.value({**_bound.get(), **extra})
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        below = self._mask.text("\n".join(filter(None, (trace, stack))))
        return self.line(record, self._mask.text(record.getMessage()), facts, below)

    @abstractmethod
    def line(self, record: logging.LogRecord, said: str, facts: Mapping[str, object], below: str) -> str: ...


def _shown(text: str) -> str:
    """Control characters, and what turns the reading direction, as escapes that JSON reads too."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


class JsonLines(_Lines):
    """One JSON object a line, which does nothing to the terminal that it is read on."""

    def line(self, record: logging.LogRecord, said: str, facts: Mapping[str, object], below: str) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": said, **facts}
        return _shown(json.dumps(line | ({"trace": below} if below else {}), ensure_ascii=False))


class ShortLines(_Lines):
    """One line for a person. Line breaks from outside are shown, not obeyed: nobody forges a second line."""

    def line(self, record: logging.LogRecord, said: str, facts: Mapping[str, object], below: str) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        pairs = "".join(f" {name}={value!r}" for name, value in facts.items())
        first = f"{at:%H:%M:%S} {record.levelname:<7} {record.name}: {_shown(said)}{pairs}"
        return "\n".join((first, *(f"    {_shown(each)}" for each in below.split("\n") if below)))


class NotHttp(logging.Filter):
    """Whoever sends what is no HTTP is refused by aiohttp, which would quote it, and itself, at length each time."""

    def filter(self, record: logging.LogRecord) -> bool:
        fault = type(record.exc_info[1]) if record.exc_info else None
        if record.name == "aiohttp.server" and fault and fault.__module__ == "aiohttp.http_exceptions":
            record.msg, record.args, record.exc_info = "refused what is not HTTP: %s", (fault.__name__,), None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


INSISTENT = frozenset(
    {
        *("bot.steady", "bot.store.postgres", "bot.store.sqlite"),  # what fails there is taken again
        *("aiohttp.server", "bot.channels.slack_inbound"),  # anybody can make them repeat themselves
    }
)
AGAIN = 60.0  # seconds between the same words while it lasts
IN_A_ROW = 10.0  # seconds without a failure, after which the next one is news
MANY = 200  # words remembered


@dataclass(slots=True)
class _Said:
    at: float
    heard_at: float
    left_out: int = 0


class OnceAMinute(logging.Filter):
    """Whoever goes on saying the same once a second is quoted once a minute, with how often it was left out."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], _Said] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name not in INSISTENT:
            return True
        fault = repr(record.exc_info[1]) if record.exc_info else ""
        key, now = (record.name, f"{record.getMessage()} {fault}"), record.created
        said = self._said.get(key)
        if said and abs(now - said.heard_at) < IN_A_ROW and abs(now - said.at) < AGAIN:
            said.heard_at, said.left_out = now, said.left_out + 1
            return False
        if said and said.left_out:
            record.__dict__["left_out"] = said.left_out
        if len(self._said) >= MANY:
            self._said.clear()
        self._said[key] = _Said(now, now)
        return True


def start_logging(level: str, form: str, secrets: Sequence[str], stream: TextIO = sys.stderr) -> Mask:
    """Send everything, third parties included, through one masking formatter; returns the mask.

    `form` is json, text or auto (text on a terminal).
    """
    mask = Mask(secrets)
    short = form == "text" or (form == "auto" and stream.isatty())
    out = logging.StreamHandler(stream)
    out.setFormatter(ShortLines(mask) if short else JsonLines(mask))
    out.addFilter(NotHttp())
    out.addFilter(OnceAMinute())
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    return mask
