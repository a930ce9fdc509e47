"""Hostile and huge text in every place of a card: it is shown, it does nothing, and nothing breaks."""

import json
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from interactions.card import Card, Choice, Format, Input, Outcome, Payload, Severity, Status, Tone
from renderers import adaptive_card, block_kit, email, text
from renderers.inert import clean, visible
from renderers.markdown import parse, plain, safe_link
from tests.renderers.oracles import (
    card_problems,
    mail_problems,
    message_problems,
    mrkdwn,
    objects,
    odd_characters,
    view_problems,
)
from tests.renderers.samples import AT, PAGE, TOKEN

ATTACKS = (
    "<!channel> <!here> <@U1> <#C1> <!subteam^S1|ops> @here @channel",
    "&lt;!channel&gt; &#60;!everyone&#62; &#x202e;",
    "<https://evil.example|https://bank.example>",
    "[https://bank.example](https://evil.example/login)",
    "[bank](https://bank.example@evil.example/) [x](javascript:alert(1)) [y](data:text/html,x) [z](file:///etc/passwd)",
    "<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:x'>x</a>",
    "![pixel](https://evil.example/pixel.png) ![](javascript:x)",
    "```\nout\n``` <!channel> ``` ```` `````",
    "\u202egpj.exe\u202c \u2066abc\u2069 \u200b\u200e\ufeff\u00ad",
    "\x00 \x1b[31mred\x1b[0m \x07 \r\nBcc: cleo@example.com\r\n",
    "\ud800 \udfff",
    "{{DATE(2020-01-01T00:00:00Z,SHORT)}} {{7*7}} ${7*7} <at>Ana</at>",
    "*bold* _it_ ~no~ `code` :rotating_light: **b** __u__",
    "# head\n> quote\n- item\n1. one\n---\n| a | b |\n|---|---|\n| <!here> | c |",
    "&amp;&lt;&gt; & < > \" '",
    "Z" + "\u0301" * 300,
    "👩‍👩‍👧‍👦🇩🇪👍🏽" * 3,
    "می‌خواهم क्‍ष",
)
NASTY = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(max_size=60),
    st.text(alphabet="\\`*_{}[]()<>#+-.!|~&@:\n \t1a\u202e\u200b\ud800", max_size=80),
    st.builds(lambda one, two: one + two, st.sampled_from(ATTACKS), st.sampled_from(ATTACKS)),
)
HUGE = st.one_of(NASTY, st.builds(lambda one, times: one * times, NASTY, st.sampled_from((30, 400, 3000))))
IDS = st.from_regex(r"[a-z0-9_.:-]{1,75}", fullmatch=True)


@st.composite
def _cards(draw: st.DrawFn) -> Card:
    ids = draw(st.lists(IDS, max_size=8, unique=True))
    choices = tuple(
        Choice(each, draw(NASTY), draw(st.sampled_from(Tone)), draw(st.booleans()), draw(NASTY)) for each in ids
    )
    outcome = None if choices else draw(st.one_of(st.none(), _outcomes()))
    asked = draw(st.lists(IDS, max_size=2, unique=True)) if choices else []
    return Card(
        title=draw(HUGE),
        severity=draw(st.sampled_from(Severity)),
        text=draw(HUGE),
        facts=tuple(draw(st.lists(st.tuples(NASTY, HUGE), max_size=14))),
        payload=draw(st.one_of(st.none(), st.builds(Payload, HUGE, st.sampled_from(Format), NASTY))),
        choices=choices,
        inputs=tuple(Input(each, draw(NASTY), tuple(ids[: draw(st.integers(0, 2))])) for each in asked),
        requester=draw(NASTY),
        expires_at=draw(st.sampled_from((None, AT))),
        progress=draw(NASTY),
        link=draw(
            st.sampled_from(("", "https://grafana.example/d", "javascript:alert(1)", "https://a.example/<!here>|x"))
        ),
        digest=draw(NASTY),
        outcome=outcome,
    )


def _outcomes() -> st.SearchStrategy[Outcome]:
    ends = st.sampled_from([each for each in Status if each is not Status.PENDING])
    return st.builds(Outcome, ends, NASTY, st.sampled_from((None, AT)), st.sampled_from((None, True, False)), HUGE)


ANY_CARD = _cards()
thoroughly = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@thoroughly
@given(ANY_CARD)
def test_slack_takes_a_message_of_anything(card: Card) -> None:
    assert message_problems(block_kit.render(card, TOKEN, PAGE)) == []


@thoroughly
@given(ANY_CARD)
def test_slack_takes_a_review_of_anything(card: Card) -> None:
    views = [block_kit.modal(card, TOKEN, each.id, words=card.text) for each in card.choices[:2]]
    problems = [view_problems(view) for view in (block_kit.modal(card, TOKEN, words=card.title, page=PAGE), *views)]
    assert problems == [[] for _ in problems]


@thoroughly
@given(ANY_CARD)
def test_teams_takes_a_card_of_anything(card: Card) -> None:
    assert card_problems(adaptive_card.render(card, TOKEN, PAGE).content) == []


@thoroughly
@given(ANY_CARD)
def test_teams_reads_no_markup_into_anything(card: Card) -> None:
    content = adaptive_card.render(card, TOKEN, PAGE).content
    lines = [each["text"] for each in objects(content) if each.get("type") == "TextBlock"]
    lines += [each[key] for fact in objects(content) for each in fact.get("facts", []) for key in ("title", "value")]
    assert [line for line in lines if _means_something(line)] == []


@thoroughly
@given(ANY_CARD)
def test_teams_formats_no_date_but_ours(card: Card) -> None:
    content = adaptive_card.render(card, TOKEN, PAGE).content
    dates = set(re.findall(r"\{\{.*?\}\}", json.dumps(content)))
    assert dates <= {"{{DATE(2026-03-04T14:02:00Z,SHORT)}}", "{{TIME(2026-03-04T14:02:00Z)}}"}


@thoroughly
@given(ANY_CARD)
def test_a_mail_of_anything_is_only_words(card: Card) -> None:
    assert mail_problems(email.render(card, PAGE)) == []


@thoroughly
@given(ANY_CARD)
def test_a_subject_of_anything_is_one_header(card: Card) -> None:
    mail = EmailMessage()
    mail["Subject"] = email.render(card, PAGE).subject
    assert [name for name, _ in mail.items()] == ["Subject"]


@thoroughly
@given(ANY_CARD)
def test_a_text_of_anything_is_printable(card: Card) -> None:
    assert odd_characters(text.render(card, PAGE)) == []


@thoroughly
@given(ANY_CARD)
def test_everything_can_be_sent_as_utf_8(card: Card) -> None:
    message, teams = block_kit.render(card, TOKEN, PAGE), adaptive_card.render(card, TOKEN, PAGE)
    sent = json.dumps([message.body, teams.content, teams.summary], ensure_ascii=False)
    assert sent.encode().decode() == sent


@thoroughly
@given(st.text(alphabet="ab \\`*_[]()<>#+-.!|~&\n1:/", max_size=300))
def test_no_word_of_a_text_is_left_out(source: str) -> None:
    assert set(re.findall("[ab]+", source)) <= set(_split(plain(parse(source))))


def _split(shown: str) -> Iterator[str]:
    """The words, and what they would be where markup stood inside of them."""
    joined = re.findall("[ab]+", shown)
    yield from joined
    for word in joined:
        yield from (word[start:end] for start in range(len(word)) for end in range(start + 1, len(word) + 1))


def _means_something(line: str) -> bool:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(re.sub(r"\{\{.*?\}\}", "", line))
    children = {child.type for token in tokens for child in token.children or ()}
    return bool({token.type for token in tokens} - {"paragraph_open", "inline", "paragraph_close"} or children - PLAIN)


PLAIN = {"text", "softbreak", "hardbreak", "text_special"}


@pytest.mark.parametrize(
    "depth, sign", [(2000, "> "), (2000, "- "), (300, "1. "), (5000, "*"), (5000, "["), (3000, "![")]
)
def test_markup_that_is_nested_too_deep_is_shown_as_it_is(depth: int, sign: str) -> None:
    source = "\n".join(f"{'  ' * place}- level" for place in range(40)) if sign == "- " else f"{sign * depth}end"
    assert "end" in plain(parse(source)) or "level" in plain(parse(source))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_a_text_calls_anybody(attack: str) -> None:
    assert re.findall(r"<[!@#]", mrkdwn(attack)) == []


def test_a_masked_link_shows_the_true_host() -> None:
    assert mrkdwn("[https://bank.example](https://evil.example/)") == (
        "<https://evil.example/|https://bank.example> (evil.example)"
    )


def test_a_host_behind_a_false_user_is_the_true_one() -> None:
    assert mrkdwn("[bank](https://bank.example@evil.example/)") == "<https://evil.example/|bank> (evil.example)"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", "/d"]
)
def test_other_addresses_are_words(url: str) -> None:
    assert "<" not in mrkdwn(f"[click]({url})").replace("&lt;", "")


@pytest.mark.parametrize(
    "url, kept",
    [
        ("https://a.example/x?y=1&z=2#t", "https://a.example/x?y=1&z=2#t"),
        ("HTTPS://A.example:8443/x y", "https://a.example:8443/x%20y"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("mailto:ana@example.com?bcc=cleo@example.com", "mailto:ana@example.com"),
        ("https://bank.example@evil.example/", "https://evil.example/"),
        ("https://evil.example\\@bank.example/", "https://bank.example/"),
        ("javascript://a.example/%0aalert(1)", ""),
        ("https://", ""),
        ("https://a.example:99999/", ""),
        ("https://[::1/", ""),
        ("https://a.example/" + "x" * 3000, ""),
        ("//a.example/", ""),
        ("https://a.example/" + "*" * 1900, ""),
        ("https://a.example/?" + "&" * 500, ""),
        (f"https://{'a' * 254}/", ""),
        (f"mailto:{'a' * 65}@a.example", ""),
    ],
)
def test_an_address_leads_where_it_says_or_nowhere(url: str, kept: str) -> None:
    assert safe_link(url) == kept


LINKED = (
    f"[{'&' * 400}](https://a.example/{'y' * 1900})",
    f"[x](https://a.example/{'*' * 1900})",
    f"[x](https://a.example/?{'&' * 1900})",
    f"[x](https://{'a' * 1900}.example/)",
    f"<mailto:{'a' * 1900}@a.example>",
    "- - - - - - - - - a\n" + "                  a&\n" * 400,
    "> > > > - - - ***~~a" + "  \n>>>> b" * 300 + "~~***",
)


@pytest.mark.parametrize("written", LINKED, ids=lambda text: text[:12])
def test_no_link_and_no_nesting_keeps_a_card_from_slack(written: str) -> None:
    card = Card("Trouble", text=written, choices=(Choice("approve", "Approve"),))
    assert len(mrkdwn(written)) > 200
    assert message_problems(block_kit.render(card, TOKEN, PAGE)) == []
    assert view_problems(block_kit.modal(card, TOKEN, page=PAGE)) == []


@pytest.mark.parametrize(
    "address", [f"https://{'a' * 1900}.example/", f"mailto:{'a' * 1900}@a.example", f"https://a.example/{'*' * 1900}"]
)
def test_no_address_of_its_own_keeps_a_card_from_slack(address: str) -> None:
    card = Card("Trouble", link=address, requester="&" * 900)
    assert message_problems(block_kit.render(card, TOKEN, PAGE)) == []


def test_a_definition_of_a_link_is_words_like_others() -> None:
    assert plain(parse('[a]: /x "delete everything"')) == '[a]: /x "delete everything"'


def test_an_image_is_a_link_and_never_loads() -> None:
    html = email.html(parse("![chart](https://example.com/chart.png)"))
    assert html == '<p><a href="https://example.com/chart.png">chart</a> (example.com)</p>'


def test_what_cannot_be_seen_is_written_out_where_every_character_counts() -> None:
    assert visible("a\u202eb\u200bc\x00d\ud800") == "a\\u202eb\\u200bc\\u0000d\\ud800"


def test_what_cannot_be_seen_is_gone_from_prose() -> None:
    assert clean("a\u202eb\u200bc\x00d\r\ne\u2028f") == "abcd\ne\nf"


def test_scripts_that_need_joiners_keep_them() -> None:
    assert clean("می‌خواهم") == "می‌خواهم"


def test_joiners_between_latin_letters_are_gone() -> None:
    assert clean("pay\u200dpal") == "paypal"


def test_backticks_in_arguments_do_not_end_the_fence() -> None:
    card = Card(title="x", payload=Payload('{"a": "``` <!channel> ```"}'))
    fences = [block["text"]["text"] for block in block_kit.render(card, TOKEN).blocks if "```" in str(block)]
    assert fences == ['```\n{"a": "\\u0060\\u0060\\u0060 &lt;!channel&gt; \\u0060\\u0060\\u0060"}\n```']


@pytest.mark.parametrize("host", ["a" * 26 + "!", "a-" * 13 + "!", "a." * 13 + "!", "a--" * 9 + "a.-"])
def test_a_host_that_is_none_is_seen_at_once(host: str) -> None:
    start = time.process_time()
    assert safe_link(f"http://{host}") == ""
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("unit", ["a", "a-", "a.", "-", "1", "_", "a1-."])
def test_the_longest_address_is_judged_at_once_too(unit: str) -> None:
    start = time.process_time()
    parse(f"[here](http://{unit * (1900 // len(unit))}!)")
    assert time.process_time() - start < 1
