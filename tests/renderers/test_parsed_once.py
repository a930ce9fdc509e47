"""Markdown from outside is read by one module, and each text of a card once, however many faces its channel has."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it.rules_core import StateCore

from interactions.card import Card, Status
from renderers import adaptive_card, block_kit, email, markdown
from tests.architecture.reader import imports_of
from tests.renderers.samples import BLOCKED, NOTICE, PAGE, TOKEN, ended, with_payload

ROOT = Path(__file__).resolve().parents[2]

CARDS = {
    "a question": BLOCKED,
    "a notice": NOTICE,
    "a question too long to be shown whole": with_payload(BLOCKED, "a long line\n" * 20_000),
    "an end": ended(BLOCKED, Status.DECIDED, "Approved by Ana", approved=True),
    "an end of something long": ended(replace(NOTICE, text=NOTICE.text * 9), Status.EXPIRED, "Expired"),
}
CHANNELS: dict[str, Callable[[Card], object]] = {
    "Slack": lambda card: block_kit.render(card, TOKEN, PAGE),
    "a window in Slack": lambda card: block_kit.modal(card, TOKEN, page=PAGE),
    "Teams": lambda card: adaptive_card.render(card, TOKEN, PAGE),
    "e-mail": lambda card: email.render(card, PAGE),
}


@pytest.fixture
def read() -> Iterator[list[str]]:
    """What the parser itself has read, by a rule that writes down every text and changes none."""
    texts: list[str] = []

    def write_down(state: StateCore) -> None:
        texts.append(state.src)

    markdown._parser.cache_clear()
    markdown._parser().core.ruler.push("write_down", write_down)
    yield texts
    markdown._parser.cache_clear()


def test_one_module_alone_reads_markdown() -> None:
    every = imports_of(ROOT, ("interactions", "renderers", "bot", "gatebell", "teams_manifest"))
    assert {each.by for each in every if "markdown_it" in each.target} == {"renderers.markdown"}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("card", CARDS)
def test_no_text_of_a_card_is_parsed_twice(card: str, channel: str, read: list[str]) -> None:
    CHANNELS[channel](CARDS[card])
    assert read
    assert sorted(set(read)) == sorted(read)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_card_that_is_shown_whole_is_parsed_once(channel: str, read: list[str]) -> None:
    CHANNELS[channel](NOTICE)
    assert read == [NOTICE.text]
