"""Text from outside, made to look like what it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from interactions.text import clip, code, literal, one_line, spelled_out, visible

markdown = MarkdownIt("commonmark").enable("strikethrough")
anything = st.text(max_size=60) | st.text("`*_[]()<>&~\\#>+-=|!1. \nabc", max_size=20)


def inline(text: str) -> list[tuple[str, str]]:
    """The leaves of a paragraph around the text: what kind each is and what it says."""
    (_, paragraph, _) = markdown.parse(f"{text}")
    return [(leaf.type, leaf.content) for leaf in paragraph.children or []]


@given(anything)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(anything)
def test_nothing_that_turns_or_hides_is_left(text: str) -> None:
    kept = {unicodedata.category(each) for each in visible(text) if each not in "\n\t\u200c\u200d"}
    assert kept.isdisjoint({"Cc", "Cf", "Co", "Zl", "Zp"})


@given(anything)
def test_seeing_twice_is_seeing_once(text: str) -> None:
    assert (visible(visible(text)), one_line(one_line(text))) == (visible(text), one_line(text))


@given(anything)
def test_what_is_spelled_out_can_be_seen(text: str) -> None:
    kept = {unicodedata.category(each) for each in spelled_out(text) if each not in "\n\t"}
    assert kept.isdisjoint({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@given(anything.filter(one_line))
def test_literal_words_say_what_they_said(text: str) -> None:
    assert inline(literal(text)) == [("text", one_line(text))]


@given(anything.filter(one_line))
def test_code_says_what_it_was(text: str) -> None:
    (leaf,) = inline(code(text))
    assert leaf == ("code_inline", one_line(text))


@pytest.mark.parametrize("name", ["cleo@example.com", "no_delete", "drive.delete", "O'Brien", "a-b (c)"])
def test_ordinary_names_are_left_alone(name: str) -> None:
    assert literal(name) == name


@given(anything, st.integers(1, 50))
def test_clipped_text_fits(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= limit
