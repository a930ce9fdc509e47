"""What a click on a card is answered with; only the person who clicked sees it."""

from typing import Any

from bot.channels.contract import Answer
from bot.channels.teams_card import CARD
from interactions.card import Card, Status
from renderers import adaptive_card

_WORDS = "application/vnd.microsoft.activity.message"
_ERROR = "application/vnd.microsoft.error"


def answered(answer: Answer, token: str) -> dict[str, Any]:
    """The settled card in place of the one that was clicked; words where nothing changed, or where they say more."""
    card = settled(answer, token)
    return words(answer.words) if card is None else {"statusCode": 200, "type": CARD, "value": card}


def settled(answer: Answer, token: str) -> dict[str, Any] | None:
    """The card as it stands after an accepted click, unless it is too large to be shown whole without its page."""
    if not answer.accepted or answer.card is None:
        return None
    rendered = adaptive_card.render(answer.card, token if _is_open(answer.card) else "")
    return rendered.content if rendered.whole else None


def words(text: str) -> dict[str, Any]:
    return {"statusCode": 200, "type": _WORDS, "value": text}


def error(status: int, code: str, text: str) -> dict[str, Any]:
    """Teams knows two for words of ours, 400 and 500 (Adaptive Cards: Universal Action Model)."""
    return {"statusCode": status, "type": _ERROR, "value": {"code": code, "message": text}}


def _is_open(card: Card) -> bool:
    return card.status is Status.PENDING
