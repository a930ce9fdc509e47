"""What stands on a copy for everybody who sees it, and what its reader alone is given."""

import pytest

from bot.channels.contract import Post, Reader, ReaderKind
from bot.clock import MovableClock
from bot.dispatch import leases
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.dispatch.stamps import Stamps
from bot.ids import new_id
from bot.links import Links
from interactions.card import Card
from tests.dispatch.working import ANA

SIGN_IN = "https://gate.example/login/secret"
LINKS, ANOTHERS = Links((b"k" * 32,)), Links((b"a" * 32,))
SIGNING_IN = Card("Sign in", link=LINKS.seal(SIGN_IN))
LINKED = Card("Told", link="https://wiki.example/")
ROOM = Reader(ReaderKind.ROOM, "ops")


def stamped(card: Card, reader: Reader, links: Links = LINKS) -> Post:
    at = MovableClock().now()
    [claim] = leases.claims_of(NewPost("ref", card, {}), [NewDelivery(new_id(at), reader, ("chat",))], at, "one")
    return Stamps(lambda: "https://gate.example", (b"copy",), (b"page",), links.open).post(claim)


def test_a_link_that_signs_in_is_its_persons_right_and_on_no_card() -> None:
    post = stamped(SIGNING_IN, ANA)
    assert (post.card.link, post.rights and post.rights.link) == ("", SIGN_IN)


def test_in_a_room_it_is_nobodys() -> None:
    post = stamped(SIGNING_IN, ROOM)
    assert (post.card.link, post.rights) == ("", None)


def test_where_no_key_opens_it_any_more_there_is_no_link() -> None:
    post = stamped(SIGNING_IN, ANA, ANOTHERS)
    assert (post.card.link, post.rights) == ("", None)


@pytest.mark.parametrize("reader", [ANA, ROOM])
def test_an_ordinary_link_stands_on_the_card(reader: Reader) -> None:
    post = stamped(LINKED, reader)
    assert (post.card, post.rights) == (LINKED, None)


def test_what_was_never_sealed_opens_nothing() -> None:
    assert LINKS.open(SIGN_IN) == ""
