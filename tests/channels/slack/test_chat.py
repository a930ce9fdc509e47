"""What people write to the bot, and how it answers."""

import asyncio

import pytest
from aiohttp import ClientSession

from bot.channels.contract import TRY_AGAIN, DeliveryError, Person, Reason
from bot.channels.slack_chat import STATUS_SECONDS, CommandChat, RoomChat, heard, pieces
from bot.rehearsal import slack_screen
from bot.rehearsal.failure import Failure, Kind, error, redirect, reset, status
from bot.rehearsal.slack import SlackWorkspace
from bot.rehearsal.slack_state import DEFAULT_SCOPES
from tests.channels.slack.world import World, world_of


async def asked_in(world: World, *, status_seconds: float = STATUS_SECONDS) -> RoomChat:
    """The chat in which Ana has just asked something."""
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await world.settled()
    dm.statuses.clear()
    web = world.channel.api
    return RoomChat(Person("slack", "U0ANA"), web, dm.id, dm.messages[0].ts, status_seconds=status_seconds)


async def test_a_direct_message_is_heard_and_answered_there(either: World) -> None:
    await either.slack.dm("ana@example.com").say("what is open?")
    await either.settled()
    [(text, person)] = either.talk.heard
    assert (text, person.email) == ("what is open?", "ana@example.com")
    assert either.slack.dm("ana@example.com").last.shown_text() == "I heard *you*."


async def test_an_answer_stays_in_the_thread_of_its_question(world: World) -> None:
    receipt = await world.ask()
    dm = world.slack.dm("ana@example.com")
    await dm.say("why?", thread=dm.last)
    await world.settled()
    assert dm.last.thread_ts == receipt.message


async def test_a_mention_is_answered_in_a_thread(session: ClientSession) -> None:
    async with SlackWorkspace(scopes=("chat:write", "users:read", "users:read.email", "app_mentions:read")) as slack:
        slack.add_person("Ana Lima", "ana@example.com")
        room = slack.add_channel("ops", ["ana@example.com"])
        async with world_of(slack, session, SLACK_SIGNING_SECRET=slack.signing_secret) as world:
            await room.say(f"<@{slack.app.bot_user_id}> status", by="ana@example.com")
            await world.settled()
        assert world.talk.heard[0][0] == "status"
        assert room.last.thread_ts == room.messages[0].ts


async def test_words_that_are_changed_afterwards_are_heard_once(session: ClientSession) -> None:
    async with SlackWorkspace(scopes=(*DEFAULT_SCOPES, "app_mentions:read")) as slack:
        slack.add_person("Ana Lima", "ana@example.com")
        room, dm = slack.add_channel("ops", ["ana@example.com"]), slack.dm("ana@example.com")
        async with world_of(slack, session, SLACK_SIGNING_SECRET=slack.signing_secret) as world:
            for place, to_bot in ((room, f"<@{slack.app.bot_user_id}> "), (dm, "")):
                await place.say(f"{to_bot}delte it", by="ana@example.com")
                await world.settled()
                told = await place.edit(place.messages[0], f"{to_bot}delete it", by="ana@example.com")
                await world.settled()
                assert [each.status for each in told] == [200]
    assert [text for text, _ in world.talk.heard] == ["delte it", "delte it"]


async def test_a_mention_that_is_added_afterwards_is_heard(session: ClientSession) -> None:
    async with SlackWorkspace(scopes=(*DEFAULT_SCOPES, "app_mentions:read")) as slack:
        slack.add_person("Ana Lima", "ana@example.com")
        room = slack.add_channel("ops", ["ana@example.com"])
        async with world_of(slack, session, SLACK_SIGNING_SECRET=slack.signing_secret) as world:
            await room.say("status", by="ana@example.com")
            await room.edit(room.messages[0], f"<@{slack.app.bot_user_id}> status", by="ana@example.com")
            await world.settled()
    assert [text for text, _ in world.talk.heard] == ["status"]


async def test_a_status_shows_while_an_answer_is_prepared(world: World) -> None:
    world.talk.seconds = 0.2
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await world.slack.until(lambda: dm.status == "is thinking…", what="the status")
    await world.settled()
    assert dm.status == ""
    assert len([each for each in dm.messages if each.from_bot]) == 1


async def test_a_status_goes_although_nothing_was_said(world: World) -> None:
    world.talk.seconds, world.talk.reply = 0.2, ""
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await world.slack.until(lambda: dm.status == "is thinking…", what="the status")
    await world.settled()
    assert dm.status == ""


async def test_a_status_is_shown_again_before_slack_takes_it_away(world: World) -> None:
    room = world.slack.dm("ana@example.com")
    async with (await asked_in(world, status_seconds=0.05)).typing():
        await world.slack.until(lambda: room.statuses.count("is thinking…") == 3, what="the status for the third time")
    assert (room.status, room.statuses[-1]) == ("", "")


def test_a_status_never_runs_out_while_an_answer_is_prepared() -> None:
    assert STATUS_SECONDS + 10 < slack_screen.STATUS_SECONDS


async def test_a_status_goes_although_slack_never_said_that_it_shows(world: World) -> None:
    chat, room = await asked_in(world), world.slack.dm("ana@example.com")
    world.slack.fail(Failure(Kind.HANG, late=True), path="assistant.threads.setStatus", times=1)
    async with chat.typing():
        await asyncio.sleep(0.3)
    assert (room.statuses[0], room.status) == ("is thinking…", "")


async def test_a_busy_slack_is_asked_for_no_sign_again(world: World) -> None:
    chat, dm = await asked_in(world), world.slack.dm("ana@example.com")
    rule = world.slack.fail(status(429, retry_after=30), path="assistant.threads.setStatus")
    async with chat.typing():
        await asyncio.sleep(1.8)
        asked, shown = rule.hits, dm.last.shown_text()
    assert (asked, shown) == (1, "I heard *you*.")


async def test_an_app_without_status_shows_a_placeholder_that_becomes_the_answer(world: World) -> None:
    world.slack.fail(error("unknown_method"), path="assistant.threads.setStatus")
    world.talk.seconds = 2.2
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await dm.wait_for("…")
    await world.settled()
    assert [each.shown_text() for each in dm.messages if each.from_bot] == ["I heard *you*."]
    assert dm.last.edited == 1


async def with_placeholder(world: World) -> None:
    """Ana has asked, the app may set no status, and the placeholder shows."""
    world.slack.fail(error("unknown_method"), path="assistant.threads.setStatus")
    world.talk.seconds = 2.2
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await dm.wait_for("…")


async def test_a_placeholder_that_somebody_deleted_does_not_swallow_the_answer(world: World) -> None:
    await with_placeholder(world)
    dm = world.slack.dm("ana@example.com")
    dm.messages.remove(dm.last)
    await world.settled()
    assert [each.shown_text() for each in dm.messages if each.from_bot] == ["I heard *you*."]


async def test_a_placeholder_goes_where_nothing_is_said(world: World) -> None:
    world.talk.reply = ""
    await with_placeholder(world)
    await world.settled()
    assert [each for each in world.slack.dm("ana@example.com").messages if each.from_bot] == []


async def test_a_placeholder_that_slack_refuses_does_not_swallow_the_answer(world: World) -> None:
    world.slack.fail(error("unknown_method"), path="assistant.threads.setStatus")
    world.slack.fail(error("ratelimited"), path="chat.postMessage", times=1)
    world.talk.seconds = 2.0
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    assert world.slack.dm("ana@example.com").last.shown_text() == "I heard *you*."


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_an_answer_waits_for_as_long_as_slack_is_asked_too_much(world: World, method: str) -> None:
    dm = world.slack.dm("ana@example.com")
    if method == "chat.update":
        await with_placeholder(world)
    rule = world.slack.fail(status(429, retry_after=0.1), path=method, times=2)
    if method == "chat.postMessage":
        await dm.say("hello")
    await world.settled()
    assert rule.hits == 2
    assert [each.shown_text() for each in dm.messages if each.from_bot] == ["I heard *you*."]


async def test_an_answer_does_not_wait_for_ever(world: World) -> None:
    rule = world.slack.fail(status(429, retry_after=0.1), path="chat.postMessage")
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    assert rule.hits == 3


async def test_a_sign_that_cannot_be_taken_away_breaks_nothing(world: World) -> None:
    chat, room = await asked_in(world), world.slack.dm("ana@example.com")
    async with chat.typing():
        await world.slack.until(lambda: room.statuses, what="the status")
        rule = world.slack.fail(status(500), path="assistant.threads.setStatus")
    assert rule.hits == 2


async def test_a_quick_answer_needs_no_placeholder(world: World) -> None:
    world.slack.fail(error("unknown_method"), path="assistant.threads.setStatus")
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    assert len(world.called("chat.postMessage")) == 1


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
async def test_words_beside_a_file_are_a_persons_own(world: World, subtype: str) -> None:
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    envelope = world.slack.payloads.message_event(dm.room, dm.messages[0], world.slack.state.person("U0ANA"))
    envelope["event"] |= {"subtype": subtype, "text": "look at this"}
    await world.slack.push.event(envelope)
    await world.settled()
    assert [text for text, _ in world.talk.heard] == ["hello", "look at this"]


async def test_who_writes_while_the_database_is_away_is_asked_to_try_again(world: World) -> None:
    world.shelf.away = "slack:app:"
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await world.settled()
    assert (dm.ephemerals[-1].shown_text(), world.talk.heard) == (TRY_AGAIN, [])


@pytest.mark.parametrize("more", [{"bot_id": "B1"}, {"subtype": "message_changed"}, {"user": "U0GATEBOT1"}], ids=str)
async def test_what_no_person_just_wrote_is_not_heard(world: World, more: dict[str, str]) -> None:
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    await world.settled()
    world.talk.heard.clear()
    envelope = world.slack.payloads.message_event(dm.room, dm.messages[0], world.slack.state.person("U0ANA"))
    envelope["event"] |= more
    assert (await world.slack.push.event(envelope)).status == 200
    await world.settled()
    assert world.talk.heard == []


async def test_an_event_of_another_kind_is_only_acknowledged(world: World) -> None:
    envelope = world.slack.payloads.event_callback({"type": "team_join", "user": {"id": "U1"}}, "x")
    assert (await world.slack.push.event(envelope)).status == 200
    await world.settled()
    assert (world.talk.heard, world.desk.clicks) == ([], [])


async def test_a_command_is_answered_to_its_person_alone(either: World) -> None:
    room = either.slack.add_channel("ops", ["ana@example.com", "ben@example.com"], with_bot=False)
    pressed = await room.command("/gatebell", "open payload=1", by="ana@example.com")
    await either.settled()
    assert pressed.acknowledged
    assert either.talk.heard[0][0] == "open payload=1"
    assert [each.shown_text() for each in room.private("ana@example.com")] == ["I heard *you*."]
    assert room.messages == []


async def test_a_command_is_acknowledged_while_the_agent_is_slow(either: World) -> None:
    either.talk.seconds = 0.5
    dm = either.slack.dm("ana@example.com")
    pressed = [await dm.command("/gatebell", "hi") for _ in range(3)]
    assert min(each.ack_ms for each in pressed) < 100


async def test_nothing_is_sent_to_an_address_that_is_not_slacks(world: World) -> None:
    dm, person = world.slack.dm("ana@example.com"), world.slack.state.person("U0ANA")
    form = world.slack.payloads.command(dm.room, person, "/gatebell", "hi")
    await world.slack.push.command({**form, "response_url": f"http://localhost:{world.slack.port}/actions/x/1/y"})
    await world.settled()
    assert [each for each in world.slack.journal if each.path.startswith("/actions/")] == []
    assert dm.last.shown_text() == "I heard *you*."


async def test_a_slow_answer_to_it_takes_the_place_of_the_sign_that_it_comes(world: World) -> None:
    world.talk.seconds = 1.7
    dm = world.slack.dm("ana@example.com")
    form = world.slack.payloads.command(dm.room, world.slack.state.person("U0ANA"), "/gatebell", "hi")
    await world.slack.push.command({**form, "response_url": "https://elsewhere.example/commands/1"})
    await world.settled()
    assert [each.shown_text() for each in dm.messages] == ["I heard *you*."]


@pytest.mark.parametrize("failure", [status(404), status(500), reset(), redirect("/elsewhere")], ids=repr)
async def test_an_address_for_answers_that_takes_none_is_told(
    world: World, session: ClientSession, failure: Failure
) -> None:
    world.slack.fail(failure, path="/actions/")
    chat = CommandChat(Person("slack", "U0ANA"), session, f"{world.slack.origin}/actions/T0REHEARSE/1/x")
    with pytest.raises(DeliveryError) as refused:
        await chat.say("hello")
    assert refused.value.reason is Reason.UNAVAILABLE
    assert [each.path for each in world.slack.journal if "elsewhere" in each.path] == []


async def test_a_hostile_answer_does_nothing(world: World) -> None:
    world.talk.reply = "<!channel> <@U0BEN> [x](javascript:alert(1)) ```"
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    message = world.slack.dm("ana@example.com").last
    assert (message.mentions, message.links) == ([], [])


async def test_a_long_answer_arrives_whole(world: World) -> None:
    lines = [f"line {number} of many" for number in range(1500)]
    world.talk.reply = "\n".join(["```", *lines, "```"])
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    shown = world.slack.dm("ana@example.com").shown_text()
    assert [line for line in lines if line not in shown] == []


async def test_an_answer_that_slack_refuses_breaks_nothing(world: World) -> None:
    world.slack.fail(error("is_archived"), path="chat.postMessage")
    await world.slack.dm("ana@example.com").say("hello")
    await world.settled()
    assert len(world.talk.heard) == 1


@pytest.mark.parametrize(
    "text, understood",
    [
        ("hello", "hello"),
        ("<@U0BOT> hello", "hello"),
        ("hello <@U0BEN|ben>", "hello @ben"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&lt;script&gt;", "<script>"),
        ("&amp;lt;", "&lt;"),
        ("see <https://example.com|example.com>", "see example.com"),
        ("see <https://evil.example|https://good.example>", "see https://evil.example"),
        ("write <mailto:ben@example.com|ben@example.com>", "write ben@example.com"),
        ("<!here> in <#C1|ops>", "@here in #ops"),
        ("{{7*7}} /ack 1; rm", "{{7*7}} /ack 1; rm"),
    ],
)
def test_what_was_written_is_read_without_slacks_markup(text: str, understood: str) -> None:
    assert heard(text, "U0BOT") == understood


def test_a_code_block_that_is_broken_goes_on_in_the_next_part() -> None:
    code = "\n".join(f"line {number}" for number in range(2000))
    sections = [block["text"]["text"] for piece in pieces(f"```\n{code}\n```") for block in piece["blocks"]]
    assert len(sections) > 2
    assert all(section.count("```") == 2 for section in sections)
    assert all(len(section) <= 3000 for section in sections)


def test_nothing_to_say_is_no_message() -> None:
    assert list(pieces("  \n")) == []
