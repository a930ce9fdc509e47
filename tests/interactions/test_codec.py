"""Rows that come back as they went in, and tokens that nobody else can make."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ids import new_id
from interactions import codec
from interactions.card import Card, Choice, Format, Input, Outcome, Payload, Severity, Status, Tone
from interactions.desk import card_of, expire, give_up, withdraw
from interactions.model import Interaction, Question, Requester, Ruling, Vote
from tests.interactions.scene import ANA, BLOCKED, NOON, PICK, WRITE, after, asked
from tests.interactions.test_deciding import settled

texts = st.text(max_size=20)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by `timezones`
inputs = st.dictionaries(texts, texts, max_size=3)
votes = st.lists(st.builds(Vote, texts, texts, texts, texts, times, inputs), max_size=4).map(tuple)
rulings = st.builds(Ruling, texts, texts, texts, texts, times, st.none() | st.booleans(), inputs)
requesters = st.builds(Requester, texts, texts, texts)
cards = st.builds(
    Card,
    title=texts,
    severity=st.sampled_from(Severity),
    text=texts,
    facts=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    payload=st.none() | st.builds(Payload, texts, st.sampled_from(Format), texts),
    choices=st.lists(st.builds(Choice, texts, texts, st.sampled_from(Tone), st.booleans(), texts), max_size=3).map(
        tuple
    ),
    inputs=st.lists(
        st.builds(Input, texts, texts, st.lists(texts, max_size=2).map(tuple), st.booleans(), st.booleans()), max_size=2
    ).map(tuple),
    requester=texts,
    expires_at=st.none() | times,
    progress=texts,
    link=texts,
    link_label=texts,
    digest=texts,
    outcome=st.none()
    | st.builds(Outcome, st.sampled_from(Status), texts, st.none() | times, st.none() | st.booleans(), texts),
    alert=st.booleans(),
    happened_at=st.none() | times,
)


@given(cards)
def test_a_card_comes_back_as_it_was(card: Card) -> None:
    assert codec.load_card(codec.dump_card(card)) == card


@pytest.mark.parametrize(
    "link, personal",
    [("sealed:gAAAAAB", True), ("https://wiki.example/", False), ("ssh://sealed:", False), ("", False)],
)
def test_a_stored_card_says_whether_it_is_for_its_reader_alone(link: str, personal: bool) -> None:
    assert codec.load_card(json.dumps({"title": "Sign in", "link": link})).is_personal is personal


@given(votes)
def test_votes_come_back_as_they_were(given_votes: tuple[Vote, ...]) -> None:
    assert codec.load_votes(codec.dump_votes(given_votes)) == given_votes


@given(votes)
def test_votes_are_the_same_bytes_each_time(given_votes: tuple[Vote, ...]) -> None:
    """Whether a decision is made on what stands is found out by comparing these bytes."""
    row = codec.dump_votes(given_votes)
    assert codec.dump_votes(codec.load_votes(row)) == row


@given(st.none() | rulings)
def test_a_ruling_comes_back_as_it_was(ruling: Ruling | None) -> None:
    assert codec.load_ruling(codec.dump_ruling(ruling)) == ruling


@given(requesters)
def test_a_requester_comes_back_as_it_was(requester: Requester) -> None:
    assert codec.load_requester(codec.dump_requester(requester)) == requester


@pytest.mark.parametrize("question, choice", [(BLOCKED, "approve"), (WRITE, "execute"), (PICK, "acme")])
@pytest.mark.parametrize("end", ["pending", "decided", "expired", "withdrawn", "undeliverable"])
def test_the_card_of_every_kind_in_every_state_comes_back(question: Question, choice: str, end: str) -> None:
    pending = asked(question)
    states: dict[str, Interaction | None] = {
        "pending": pending,
        "decided": settled(pending, ANA, choice),
        "expired": expire(pending, after(60)),
        "withdrawn": withdraw(pending, NOON, "no longer needed"),
        "undeliverable": give_up(pending, NOON, "no channel took it"),
    }
    state = states[end]
    assert state is not None
    assert codec.load_card(codec.dump_card(card_of(state))) == card_of(state)


# ---- tokens ---------------------------------------------------------------------------------------------------------

OLD, NEW = b"o" * 32, b"n" * 32
TICKET = codec.Ticket(new_id(NOON), "0123456789abcdef" * 4)
TOKEN = codec.seal(TICKET, [NEW])
SHOWN = replace(TICKET, digest=TICKET.digest[:16])


def test_a_token_opens_to_its_copy_and_what_was_shown_there() -> None:
    assert codec.unseal(TOKEN, [NEW]) == SHOWN


def test_a_token_of_an_older_key_still_opens_while_keys_rotate() -> None:
    assert codec.unseal(codec.seal(TICKET, [OLD]), [NEW, OLD]) == SHOWN


def test_a_new_token_is_made_with_the_newest_key() -> None:
    assert codec.unseal(codec.seal(TICKET, [NEW, OLD]), [OLD]) is None


def test_a_token_of_a_key_that_is_gone_does_not_open() -> None:
    assert codec.unseal(codec.seal(TICKET, [OLD]), [NEW]) is None


def test_no_key_opens_nothing() -> None:
    assert codec.unseal(TOKEN, []) is None


def test_a_token_fits_the_smallest_field_of_a_platform() -> None:
    assert len(TOKEN) <= 75


@pytest.mark.parametrize(
    "forged",
    [
        "",
        ".",
        "..",
        TOKEN[:-1],
        TOKEN[1:],
        TOKEN + "A",
        TOKEN.upper(),
        TOKEN.rpartition(".")[0],
        TOKEN.replace(TICKET.delivery, new_id(NOON)),
        TOKEN.replace(".0123", ".0124"),
        TOKEN.replace("0123456789abcdef", ""),
        "é" * 40,
        f"{TOKEN.rpartition('.')[0]}.é",
        "\ud800",
        "\x00" * 100,
        "a" * 1_000_000,
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
    ],
    # In words, because the token itself is another one each time, and parallel workers must name their tests alike.
    ids=[
        "nothing", "a dot", "two dots", "cut at the end", "cut at the beginning", "longer", "upper case", "no seal",
        "another copy", "another digest", "no digest", "not ASCII", "a seal not ASCII", "half a character", "NUL",
        "a megabyte", "encoded",
    ],
)  # fmt: skip
def test_a_forged_token_opens_to_nothing(forged: str) -> None:
    assert codec.unseal(forged, [NEW]) is None


@given(st.text())
def test_any_text_is_no_token(text: str) -> None:
    assert codec.unseal(text, [NEW, OLD]) is None


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_one_changed_character_spoils_a_token(place: int, other: str) -> None:
    changed = TOKEN[:place] + other + TOKEN[place + 1 :]
    assert changed == TOKEN or codec.unseal(changed, [NEW]) is None


def test_a_token_is_bound_to_what_was_shown() -> None:
    other = codec.seal(replace(TICKET, digest="f" * 64), [NEW])
    opened = codec.unseal(other, [NEW])
    assert opened is not None
    assert not TICKET.digest.startswith(opened.digest)
