"""A copy as a channel is given it: harmless in any place, until the channel says that the place is the reader's own."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from bot.channels.contract import DeliveryError, Post, Reason, Rights
from interactions.card import Card

ROOT = Path(__file__).resolve().parents[2]
LOOK, DECIDE, SIGN_IN = "https://g.example/admin/requests/1", "https://g.example/d/secret", "https://g.example/login/s"
ASKING = Post("ref", 0, Card("Delete?"), page=LOOK, rights=Rights(page=DECIDE))
SIGNING_IN = Post("ref", 0, Card("Sign in"), rights=Rights(link=SIGN_IN))


def test_in_the_readers_own_place_the_page_decides() -> None:
    assert ASKING.placed(own=True).page == DECIDE


def test_elsewhere_the_page_only_shows() -> None:
    assert ASKING.placed(own=False) == replace(ASKING, rights=None)


def test_in_the_readers_own_place_the_link_signs_in() -> None:
    assert SIGNING_IN.placed(own=True).card.link == SIGN_IN


def test_a_link_that_signs_in_goes_nowhere_else() -> None:
    with pytest.raises(DeliveryError) as raised:
        SIGNING_IN.placed(own=False)
    assert (raised.value.reason, SIGN_IN in str(raised.value)) == (Reason.NO_ADDRESS, False)


def test_what_belongs_to_nobody_is_the_same_everywhere() -> None:
    notice = Post("ref", 0, Card("Told", link="https://wiki.example/"))
    assert [notice.placed(own=own) for own in (True, False)] == [notice, notice]


@pytest.mark.parametrize("post", [ASKING, SIGNING_IN])
def test_rights_are_not_shown_where_a_post_is_printed(post: Post) -> None:
    assert [secret for secret in (DECIDE, SIGN_IN) if secret in repr(post)] == []


def test_no_channel_takes_rights_out_by_itself() -> None:
    """Only `placed` opens them, so that each channel has to say whose place it is."""
    files = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "renderers").rglob("*.py")]
    assert {file.relative_to(ROOT).as_posix() for file in files if takes_rights(file)} == {
        "bot/channels/contract.py",
        "bot/dispatch/stamps.py",
    }


def takes_rights(file: Path) -> bool:
    """Whether it names the class, or does more with a post's rights than to ask whether there are any."""
    tree = ast.parse(file.read_text())
    asked = {id(node.left) for node in ast.walk(tree) if isinstance(node, ast.Compare)}
    return any(
        (isinstance(node, ast.alias | ast.ClassDef) and node.name == "Rights")
        or (isinstance(node, ast.Attribute) and node.attr == "rights" and id(node) not in asked)
        for node in ast.walk(tree)
    )
