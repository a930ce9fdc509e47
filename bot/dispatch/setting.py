"""Whom and what dispatch asks: people, rules, kinds of events; made once by the composition root."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from bot.dispatch.notice import Event, Notice
from bot.dispatch.pipeline import Rules, Stage
from bot.dispatch.questions import Questions
from bot.dispatch.route import Directory

Digest = Callable[[str, Mapping[str, JsonValue], Mapping[str, JsonValue]], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """`classify` makes a notice of an event; `digest` binds (kind, payload, requester); the four after it only count.

    `further` stages hold an event against rules that are not dispatch's own.
    """

    directory: Directory
    questions: Questions
    rules: Callable[[], Rules]
    classify: Callable[[Event], Notice]
    digest: Digest
    told: Callable[[str, str], None]
    asked: Callable[[str], None]
    decided: Callable[[str], None]
    refused: Callable[[str], None]
    further: tuple[Stage, ...] = ()
