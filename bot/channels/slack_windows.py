"""The windows that a click opens in Slack, and what they remember."""

import json
from dataclasses import replace
from typing import Any

from bot.channels.contract import Answer, Review
from bot.channels.slack_requests import Spot
from renderers import block_kit

Json = dict[str, Any]


def notice(words: str) -> Json:
    """A window that only says something."""
    return {
        "type": "modal",
        "callback_id": "notice",
        "title": {"type": "plain_text", "text": "Gatebell"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [{"type": "section", "text": {"type": "plain_text", "text": words[:3000] or "…", "emoji": False}}],
    }


def placed(view: Json, spot: Spot) -> Json:
    """The window remembers from which message it was opened."""
    sealed = json.loads(view["private_metadata"])
    return {**view, "private_metadata": json.dumps({**sealed, "spot": [spot.place, spot.message, spot.thread]})}


def spot_behind(view: Json) -> Spot:
    try:
        return Spot(*map(str, json.loads(view.get("private_metadata") or "{}").get("spot") or ()))
    except (ValueError, TypeError):
        return Spot()


def full(found: Review, token: str) -> Json:
    card = found.card if found.may_decide else replace(found.card, choices=(), inputs=())
    return block_kit.modal(card, found.token or token, words=found.words, page=found.page)


def ended(answer: Answer, token: str) -> Json:
    if answer.card is None:
        return notice(answer.words)
    return block_kit.modal(replace(answer.card, choices=(), inputs=()), token, words=answer.words)


def block_of(name: str) -> str:
    return name if name == "choice" else f"input.{name}"
