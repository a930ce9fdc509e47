"""Most notices hold nothing but words, escaped signs and code, and are read without a parser: it must not show."""

from hypothesis import assume, given
from hypothesis import strategies as st

from interactions.text import code, literal
from renderers.inert import clean
from renderers.markdown import Paragraph, Run, _parsed, _simple

PIECES = st.one_of(
    st.text("ab_ \\`*[]<>~&!|-:.1)#=\n\t xé😀", max_size=12),
    st.text(max_size=6).map(literal),
    st.text("a` b", min_size=1, max_size=6).map(code),
    st.sampled_from(["drive_delete", "word", "\n\n", "`a_b`", "1. ", "a  \nb"]),
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_needs_no_parser_reads_as_the_parser_would_read_it(source: str) -> None:
    source = clean(source).strip("\n")
    assume(source)
    assert _simple(source) in ((), _parsed(source))


def test_a_sentence_with_a_name_and_a_code_needs_no_parser() -> None:
    runs = (Run("drive_delete of *x* said: "), Run("invalid_grant", code=True), Run("."))
    assert _simple(r"drive_delete of \*x\* said: `invalid_grant`.") == (Paragraph(runs),)
