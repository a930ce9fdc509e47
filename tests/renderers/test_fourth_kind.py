"""A kind that nobody has thought of: its own file, and every renderer shows it."""

from typing import ClassVar

import pytest

from interactions.card import Card, Choice, Payload, Tone
from interactions.model import Decision, Question
from interactions.registry import KINDS, Registry
from renderers import adaptive_card, block_kit, email, text
from tests.renderers.oracles import card_problems, mail_problems, message_problems, strings
from tests.renderers.samples import PAGE, TOKEN


class SpendingLimit(Question):
    kind: ClassVar[str] = "spending_limit"

    agent: str
    euros: int

    def card(self) -> Card:
        return Card(
            title=f"{self.agent} wants to spend {self.euros} euros",
            facts=(("Euros", str(self.euros)),),
            payload=Payload(f'{{"euros": {self.euros}}}'),
            choices=(
                Choice("allow", "Allow once", Tone.PRIMARY, approves=True),
                Choice("raise", "Raise the limit", Tone.DANGER, approves=True, description="For the rest of the month"),
                Choice("refuse", "Refuse"),
            ),
        )

    def decide(self, choice: str, actor: str) -> Decision:
        return Decision(choice, f"{choice} by {actor}")


@pytest.fixture
def card() -> Card:
    return Registry((*KINDS, SpendingLimit)).question("spending_limit", {"agent": "buyer", "euros": 40}).card()


def _shows_everything(shown: str) -> bool:
    said = ("buyer wants to spend 40 euros", "Allow once", "Raise the limit", "For the rest of the month", "Refuse")
    return all(words in shown for words in said)


def test_slack_shows_a_new_kind(card: Card) -> None:
    message = block_kit.render(card, TOKEN, PAGE)
    assert (_shows_everything("\n".join(strings(message.blocks))), message_problems(message)) == (True, [])


def test_teams_shows_a_new_kind(card: Card) -> None:
    content = adaptive_card.render(card, TOKEN, PAGE).content
    assert ("Raise the limit" in "\n".join(strings(content)), card_problems(content)) == (True, [])


def test_a_mail_shows_a_new_kind(card: Card) -> None:
    mail = email.render(card, PAGE)
    assert (_shows_everything(mail.html), mail_problems(mail)) == (True, [])


def test_a_text_shows_a_new_kind(card: Card) -> None:
    assert _shows_everything(text.render(card, PAGE))
