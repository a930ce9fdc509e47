"""A card as one activity of Microsoft Teams."""

from dataclasses import replace
from typing import Any

from bot.channels.contract import Post
from interactions.card import Card, Severity
from renderers import adaptive_card, words
from renderers.markdown import safe_link

CARD = "application/vnd.microsoft.card.adaptive"


def whole(post: Post, bot: str) -> dict[str, Any]:
    rendered = adaptive_card.render(post.card, post.token, post.page)
    return _activity(post.card, rendered.content, rendered.summary, bot)


def short(post: Post, bot: str) -> dict[str, Any]:
    """Without what is large. It offers no choice, because nobody decides here what cannot be seen here."""
    card = replace(post.card, text="This is too large to be shown here.", facts=(), payload=None, choices=(), inputs=())
    rendered = adaptive_card.render(card, "")
    page = safe_link(post.page)
    review = [{"type": "Action.OpenUrl", "title": words.REVIEW, "url": page}] if page else []
    return _activity(card, {**rendered.content, "actions": review}, rendered.summary, bot)


def _activity(card: Card, content: dict[str, Any], summary: str, bot: str) -> dict[str, Any]:
    """One attachment and no text beside it: Teams would split the two and never say which message the card is."""
    activity: dict[str, Any] = {
        "type": "message",
        "from": {"id": bot},
        "summary": summary,
        "attachments": [{"contentType": CARD, "content": content}],
    }
    if card.severity is Severity.CRITICAL and card.outcome is None:
        activity["importance"] = "high"
    return activity
