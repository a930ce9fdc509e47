"""What people write to the bot, and how it answers."""

import asyncio

import pytest

from bot.channels.teams_chat import LONGEST_MESSAGE, TYPING_SECONDS, messages
from bot.rehearsal.failure import status
from tests.channels.teams.world import World


async def test_a_message_is_heard_with_who_wrote_it(world: World) -> None:
    await world.install()
    await world.teams.chat("ana@example.com").say("status please")
    await world.settled()
    text, person = world.talk.heard[0]
    assert (text, person.email) == ("status please", "ana@example.com")


async def test_the_mention_of_the_bot_is_not_heard(world: World) -> None:
    await world.install_in_channel()
    await world.teams.channel("alerts").say("status please", by="ben@example.com")
    await world.settled()
    assert world.talk.heard[0][0] == "status please"


async def test_a_mention_and_nothing_else_is_heard_as_in_slack(world: World) -> None:
    await world.install_in_channel()
    await world.teams.channel("alerts").say("", by="ben@example.com")
    await world.settled()
    assert [text for text, _ in world.talk.heard] == [""]


async def test_the_answer_comes_after_the_200(world: World) -> None:
    await world.install()
    world.talk.seconds = 0.3
    delivery = await world.teams.chat("ana@example.com").say("status please")
    assert (delivery.status, world.teams.chat("ana@example.com").activities) == (200, [])
    await world.settled()
    assert world.teams.chat("ana@example.com").last.text == "I heard **you**."


async def test_an_answer_in_a_channel_is_a_reply(world: World) -> None:
    await world.install_in_channel()
    channel = world.teams.channel("alerts")
    activity = world.teams.activities.message(channel.thread, channel.thread.members[0], "status", None)
    activity["conversation"]["id"] += ";messageid=1700000000000"
    await world.teams.send(activity)
    await world.settled()
    assert channel.activities[0]["replyToId"] == "1700000000000"


async def test_typing_is_shown_at_once(world: World) -> None:
    await world.install()
    world.talk.seconds = 0.1
    await world.teams.chat("ana@example.com").say("status please")
    await world.settled()
    assert len(world.teams.chat("ana@example.com").typing) == 1


async def test_typing_is_shown_as_long_as_it_takes(world: World) -> None:
    await world.install()
    world.talk.seconds = 2.8
    await world.teams.chat("ana@example.com").say("status please")
    await world.settled()
    assert len(world.teams.chat("ana@example.com").typing) == 2


async def test_nobody_types_any_more_once_the_answer_is_there(world: World) -> None:
    await world.install()
    chat = world.teams.chat("ana@example.com")
    await chat.say("status please")
    await world.settled()
    shown = len(chat.typing)
    await asyncio.sleep(TYPING_SECONDS + 0.3)
    assert len(chat.typing) == shown


async def test_typing_that_fails_once_is_shown_again_and_does_not_stop_the_answer(world: World) -> None:
    await world.install()
    chat = world.teams.chat("ana@example.com")
    world.teams.fail(status(500), path="/activities", times=1)
    world.talk.seconds = TYPING_SECONDS + 0.5
    await chat.say("status please")
    await world.settled()
    assert (len(chat.typing), chat.last.text) == (1, "I heard **you**.")


async def test_a_message_sent_twice_is_heard_once(world: World) -> None:
    await world.install()
    chat = world.teams.chat("ana@example.com")
    activity = world.teams.activities.message(chat.thread, chat.thread.members[0], "once", None)
    await asyncio.gather(world.teams.send(activity), world.teams.send(activity))
    await world.settled()
    assert [text for text, _ in world.talk.heard] == ["once"]


async def test_another_bot_is_not_talked_with(world: World) -> None:
    await world.install()
    chat = world.teams.chat("ana@example.com")
    activity = world.teams.activities.message(chat.thread, chat.thread.members[0], "hello", None)
    activity["from"] = {"id": "28:other-bot", "name": "Other"}
    await world.teams.send(activity)
    await world.settled()
    assert world.talk.heard == []


@pytest.mark.parametrize(
    "markdown, expected",
    [
        ("plain words", "plain words"),
        ("**bold** and *italic*", "**bold** and *italic*"),
        ("# Head", "**Head**"),
        ("- one\n- two", "- one\n\n- two"),
        ("[docs](https://a.example/x)", "[docs](https://a.example/x) (a.example)"),
        ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
        ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
        ("<at>Ana</at>", "\\<at\\>Ana\\</at\\>"),
        ("\\*not bold\\*", "\\*not bold\\*"),
        ("1986\\. A year", "1986\\. A year"),
        ("```\ncode\n```", "```\ncode\n```"),
        ("![pixel](https://evil.example/p.png)", "[pixel](https://evil.example/p.png) (evil.example)"),
        ("a &lt;b&gt; c", "a \\<b\\> c"),
        ("&amp;lt;", "&amp;lt;"),
    ],
)
def test_markdown_is_written_as_teams_reads_it(markdown: str, expected: str) -> None:
    assert "\n\n".join(messages(markdown)) == expected


def test_a_fence_cannot_be_broken_out_of() -> None:
    assert "".join(messages("    ```\n    **bold**")).count("```") == 2


def test_a_long_answer_is_split() -> None:
    parts = list(messages("\n\n".join(f"paragraph {number} " + "word " * 100 for number in range(100))))
    assert (len(parts) > 3, max(map(len, parts)) <= LONGEST_MESSAGE) == (True, True)


@pytest.mark.parametrize("text", ["word " * 20_000, "x" * 100_000, "```\n" + "line\n" * 10_000 + "```"])
def test_no_message_is_too_long(text: str) -> None:
    assert max(map(len, messages(text))) <= LONGEST_MESSAGE + 1000
