"""What goes out is held against the platforms' own rules."""

from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from interactions.card import Status
from interactions.registry import Registry
from renderers import adaptive_card, block_kit, email
from tests.renderers.oracles import (
    card_problems,
    card_schema_problems,
    mail_problems,
    message_problems,
    slack_schema_problems,
    view_problems,
)
from tests.renderers.samples import CARDS, PAGE, TOKEN

EVERY_CARD = pytest.mark.parametrize("name", CARDS)


def test_every_kind_is_here_in_every_state() -> None:
    states = {*(str(each) for each in Status if each is not Status.DECIDED), "approved", "denied", "chosen"}
    assert {f"{kind}-{state}" for kind in Registry().names for state in states} <= set(CARDS)


@EVERY_CARD
def test_slack_takes_every_message(name: str) -> None:
    assert message_problems(block_kit.render(CARDS[name], TOKEN, PAGE)) == []


@EVERY_CARD
def test_slacks_types_know_every_block(name: str) -> None:
    assert slack_schema_problems(block_kit.render(CARDS[name], TOKEN, PAGE).blocks) == []


@EVERY_CARD
def test_slacks_own_models_write_the_same_json(name: str) -> None:
    blocks = block_kit.render(CARDS[name], TOKEN, PAGE).blocks
    assert [_parsed(block) for block in blocks] == blocks


@EVERY_CARD
def test_slack_takes_every_review(name: str) -> None:
    assert view_problems(block_kit.modal(CARDS[name], TOKEN, page=PAGE)) == []


@EVERY_CARD
def test_slack_takes_every_question_for_more(name: str) -> None:
    card = CARDS[name]
    views = [block_kit.modal(card, TOKEN, each.id) for each in card.choices if card.inputs_of(each.id)]
    assert [problem for view in views for problem in view_problems(view)] == []


@EVERY_CARD
def test_slacks_own_model_takes_every_window(name: str) -> None:
    card = CARDS[name]
    views = [block_kit.modal(card, TOKEN, choice, page=PAGE) for choice in (None, *(each.id for each in card.choices))]
    assert [View(**view).to_dict() for view in views] == views


@EVERY_CARD
def test_teams_takes_every_card(name: str) -> None:
    assert card_problems(adaptive_card.render(CARDS[name], TOKEN, PAGE).content) == []


@EVERY_CARD
def test_microsofts_schema_knows_every_element(name: str) -> None:
    assert card_schema_problems(adaptive_card.render(CARDS[name], TOKEN, PAGE).content) == []


@EVERY_CARD
def test_a_mail_has_only_elements_of_ours(name: str) -> None:
    assert mail_problems(email.render(CARDS[name], PAGE)) == []


def _parsed(block: dict[str, Any]) -> dict[str, Any]:
    parsed = Block.parse(block)
    assert parsed is not None
    return parsed.to_dict()
