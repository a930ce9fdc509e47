"""Cutting: never in the middle of a letter, an emoji or, where it can be helped, a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderers import clip as table
from renderers.clip import Limit, clip, clip_lines, fits, length, pieces


def test_a_short_text_stays() -> None:
    assert clip("short", 5) == "short"


def test_a_long_text_ends_at_a_word_and_says_so() -> None:
    assert clip("the quick brown fox", 15) == "the quick…"


def test_a_word_without_end_is_cut() -> None:
    assert clip("x" * 20, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "text", ["a👩‍👩‍👧‍👦b", "a👍🏽b", "a🇩🇪b", "ae\u0301b"], ids=["family", "skin", "flag", "accent"]
)
def test_what_is_seen_as_one_sign_is_not_torn(text: str) -> None:
    inside = text[1:-1]
    shown = {clip(text, most) for most in range(2, length(text))}
    assert shown <= {"a…", f"a{inside}…", text}


def test_an_emoji_counts_as_two() -> None:
    assert (length("👍"), fits("👍", 1)) == (2, False)


def test_more_lines_than_wanted_end_with_a_sign() -> None:
    assert clip_lines("a\nb\nc", 2, 100) == "a\nb\n…"


@given(st.text(), st.integers(4, 40))
def test_a_clipped_text_fits(text: str, most: int) -> None:
    assert fits(clip(text, most), most)


@given(st.text(alphabet="ab \n👍e\u0301", max_size=400), st.integers(4, 60))
def test_pieces_are_the_whole_text(text: str, most: int) -> None:
    parts = list(pieces(text, most))
    assert "".join(parts) == text
    assert all(fits(part, most) for part in parts)


def test_a_limit_says_where_it_is_stated() -> None:
    assert Limit(50, "Slack: Blocks").source == "Slack: Blocks"


def test_every_limit_says_where_it_comes_from() -> None:
    limits = {name: each for name, each in vars(table).items() if isinstance(each, Limit)}
    assert [name for name, each in limits.items() if each <= 0 or len(each.source) < 8] == []
    assert len(limits) > 30
