"""Every kind in every state, on every platform, as it was last looked at."""

import pytest

from renderers import adaptive_card, block_kit, email, text
from tests.renderers.conftest import Golden
from tests.renderers.samples import CARDS, PAGE, TOKEN

EVERY_CARD = pytest.mark.parametrize("name", CARDS)


@EVERY_CARD
def test_a_slack_message_looks_as_before(name: str, golden: Golden) -> None:
    golden(f"{name}/slack.json", block_kit.render(CARDS[name], TOKEN, PAGE).body)


@EVERY_CARD
def test_a_slack_review_looks_as_before(name: str, golden: Golden) -> None:
    golden(f"{name}/slack-modal.json", block_kit.modal(CARDS[name], TOKEN, page=PAGE))


@EVERY_CARD
def test_a_teams_card_looks_as_before(name: str, golden: Golden) -> None:
    golden(f"{name}/teams.json", adaptive_card.render(CARDS[name], TOKEN, PAGE).content)


@EVERY_CARD
def test_a_mail_looks_as_before(name: str, golden: Golden) -> None:
    golden(f"{name}/mail.html", email.render(CARDS[name], PAGE).html)


@EVERY_CARD
def test_a_text_reads_as_before(name: str, golden: Golden) -> None:
    golden(f"{name}/text.txt", text.render(CARDS[name], PAGE))
