"""The words that the bot knows itself, and who may use them."""

import pytest

from bot.conversations.commands import Command, command_of
from bot.store import StoreUnavailable
from tests.conversations.scene import BEN_HERE, CLEO_HERE, Screen, World


@pytest.mark.parametrize(
    "text, command",
    [
        ("help", Command.HELP),
        ("/help", Command.HELP),
        (" HELP\n", Command.HELP),
        ("Pending", Command.PENDING),
        ("/status", Command.STATUS),
        ("//help", None),
        ("help me", None),
        ("pending; rm", None),
        ("/ack 1; rm", None),
        ("{{7*7}}", None),
        ("/", None),
        ("", None),
        ("ｈｅｌｐ", None),  # noqa: RUF001 - letters that only look like the command
    ],
)
def test_a_command_is_all_that_was_written(text: str, command: Command | None) -> None:
    assert command_of(text) is command


@pytest.mark.parametrize("text", ["help", "/Help", "", "   "])
async def test_help_lists_every_command(offline: World, text: str) -> None:
    (said,) = await offline.hear(text)
    assert [command for command in Command if f"`{command}`" not in said] == []


@pytest.mark.parametrize(
    "count, words",
    [
        (0, "Nothing waits for you."),
        (1, "You have 1 open request, shown below."),
        (2, "You have 2 open requests, shown below."),
    ],
)
async def test_pending_says_how_many_wait(offline: World, count: int, words: str) -> None:
    offline.requests.open = count
    assert await offline.hear("pending") == [words]


async def test_pending_shows_the_persons_own_requests_where_they_are(offline: World) -> None:
    await offline.hear("pending")
    assert offline.requests.shown == [("op_ana", "chat")]


async def test_status_says_how_the_channels_do(offline: World) -> None:
    assert await offline.hear("/status") == ["Every channel is well. 3 copies wait."]


@pytest.mark.parametrize("text", ["pending", "status", "delete everything"])
@pytest.mark.parametrize("person", [CLEO_HERE, BEN_HERE], ids=["unknown", "removed"])
async def test_a_stranger_is_told_what_to_hand_to_an_admin(offline: World, person: object, text: str) -> None:
    assert isinstance(person, type(CLEO_HERE))
    (said,) = await offline.hear(text, Screen(person))
    assert f"{person.platform}:{person.subject}" in said


async def test_a_strangers_name_is_literal(offline: World) -> None:
    (said,) = await offline.hear("pending", Screen(CLEO_HERE))
    assert said.endswith(r"``chat:U`3`` (cleo\*@example.com)")


async def test_a_stranger_sees_no_requests(offline: World) -> None:
    await offline.hear("pending", Screen(CLEO_HERE))
    assert offline.requests.shown == []


async def test_a_lost_database_is_said_in_plain_words(offline: World) -> None:
    offline.requests.refusal = StoreUnavailable("postgres://secret@db")
    assert await offline.hear("pending") == ["I cannot look that up right now. Please try again in a minute."]


@pytest.mark.parametrize("text", ["/ack 1; rm", "{{7*7}}", "hello"])
async def test_without_an_agent_everything_else_is_answered_with_help(offline: World, text: str) -> None:
    (said,) = await offline.hear(text)
    assert said.endswith("No agent is set up to answer the rest.")
