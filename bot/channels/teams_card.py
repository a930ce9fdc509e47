"""A card as one activity of Microsoft Teams."""

from dataclasses import replace
from typing import Any

from bot.channels.contract import Post
from interactions.card import Card, Severity

CARD = "application/vnd.microsoft.card.adaptive"


def card_activity(card: Card, token: str, page: str, bot: str) -> dict[str, Any]:
    """One attachment and no text beside it: Teams would split the two and never say which message the card is."""
    from renderers import adaptive_card

    rendered = adaptive_card.render(card, token, page)
    activity: dict[str, Any] = {
        "type": "message",
        "from": {"id": bot},
        "summary": rendered.summary,
        "attachments": [{"contentType": CARD, "content": rendered.content}],
    }
    if card.severity is Severity.CRITICAL and card.outcome is None:
        activity["importance"] = "high"
    return activity


def short(post: Post) -> Card:
    """The card without what is large. It offers no choice, because nobody decides here what cannot be seen here."""
    return replace(
        post.card,
        text="This is too large to be shown here.",
        facts=(),
        payload=None,
        choices=(),
        inputs=(),
        link=post.page or post.card.link,
    )
