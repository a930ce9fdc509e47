"""People write to the bot: it helps, shows what waits, hands the rest to the agent, and never blocks a click."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.rehearsal.caller import AgentEndpoint
from bot.rehearsal.failure import error, status
from tests.stories.hands import NAMES, PEOPLE
from tests.stories.world import ANA, BEN, CLEO, Platforms, World, installed

CHATS = ("slack", "teams")
on_both = pytest.mark.parametrize("channel", CHATS)


class Thinker(AgentEndpoint):
    """Answers at once, or from `thinking` on as soon as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()
        self.ready.set()

    def think(self) -> None:
        self.ready.clear()

    def answer_now(self) -> None:
        self.ready.set()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        await self.ready.wait()
        return await super()._take(request)


@pytest.fixture
async def agent() -> AsyncIterator[Thinker]:
    async with Thinker() as agent:
        yield agent


@pytest.fixture
async def served(platforms: Platforms, data: Path, agent: Thinker) -> AsyncIterator[World]:
    """With an agent that answers what the bot does not know itself."""
    async with installed(platforms, data, AGENT_URL=agent.url, AGENT_SECRET="a secret of the agent") as world:
        yield world


async def say(world: World, channel: str, text: str, by: str = "") -> bool:
    """Whether it was acknowledged."""
    who = by or PEOPLE[channel]
    if channel == "slack":
        return all(each.acknowledged for each in await world.slack.dm(who).say(text))
    return (await world.teams.chat(who).say(text)).acknowledged


async def told(world: World, channel: str, text: str, to: str = "") -> None:
    who = to or PEOPLE[channel]
    await (world.slack.dm(who).wait_for(text) if channel == "slack" else world.teams.chat(who).wait_for(text))


# ---- words that the bot knows ----------------------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("text", ["help", "HELP", "/help", "  help  "])
async def test_help_says_what_can_be_written(world: World, channel: str, text: str) -> None:
    await say(world, channel, text)
    await told(world, channel, "to see the requests that wait for you")


@on_both
async def test_pending_says_when_nothing_waits(world: World, channel: str) -> None:
    await say(world, channel, "pending")
    await told(world, channel, "Nothing waits for you.")


@on_both
async def test_pending_shows_cards_that_work(world: World, channel: str) -> None:
    asked = await world.ask_blocked([PEOPLE[channel]])
    await told(world, channel, "Keep blocked")
    await say(world, channel, "pending")
    await told(world, channel, "You have 1 open request, shown below.")
    if channel == "slack":
        dm = world.slack.dm(ANA)
        await dm.wait_for(lambda each: sum("Approve" in message.labels for message in each.messages) == 2)
        await dm.click("Approve", message=dm.last)
    else:
        chat = world.teams.chat(BEN)
        await chat.wait_for(lambda each: len(each.cards) == 2)
        await chat.click("Approve", message=chat.last)
    assert (await world.end_of(asked["id"]))["decision"]["approved"] is True


async def test_both_copies_of_a_pending_request_say_how_it_ended(world: World) -> None:
    await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    await say(world, "slack", "pending")
    dm = world.slack.dm(ANA)
    await dm.wait_for(lambda each: sum("Keep blocked" in message.labels for message in each.messages) == 2)
    await dm.click("Approve")
    await dm.wait_for(lambda each: sum("Approved by Ana" in message.shown_text() for message in each.messages) == 2)


@on_both
async def test_pending_shows_nobody_elses_requests(world: World, channel: str) -> None:
    await world.ask_blocked([BEN if channel == "slack" else ANA])
    await say(world, channel, "pending")
    await told(world, channel, "Nothing waits for you.")


@on_both
async def test_status_says_how_the_channels_do(world: World, channel: str) -> None:
    await say(world, channel, "status")
    for words in ("0 requests wait for an answer.", "Slack: ready", "Microsoft Teams: ready", "E-mail: ready"):
        await told(world, channel, words)


async def test_status_says_what_is_broken(world: World) -> None:
    world.slack.fail(error("invalid_auth"), path="chat.postMessage")
    await world.ask_blocked([ANA])
    await world.mail.wait_for(1, to=ANA)
    world.slack.heal()
    await say(world, "teams", "status")
    await told(world, "teams", "Slack: refuses our credentials; an admin has to fix that")


@on_both
@pytest.mark.parametrize("text", ["status", "pending", "delete everything"])
async def test_a_stranger_learns_nothing(served: World, channel: str, text: str) -> None:
    await served.ask_blocked()
    await say(served, channel, text, by=CLEO)
    await told(served, channel, "I do not know you yet", to=CLEO)


async def test_a_strangers_words_do_not_reach_the_agent(served: World, agent: Thinker) -> None:
    await say(served, "slack", "delete everything", by=CLEO)
    await told(served, "slack", "I do not know you yet", to=CLEO)
    assert agent.told == []


# ---- the owner's agent -----------------------------------------------------------------------------------------------


@on_both
async def test_the_agent_answers_in_markdown(served: World, channel: str) -> None:
    await say(served, channel, "how are we doing?")
    await told(served, channel, "well")


async def test_markdown_of_the_agent_is_slacks_own_in_slack(served: World) -> None:
    await say(served, "slack", "how are we doing?")
    await told(served, "slack", "All is")
    assert served.slack.dm(ANA).last.blocks[0]["text"]["text"] == "All is *well*."


@on_both
async def test_the_agent_is_told_who_wrote_what(served: World, agent: Thinker, channel: str) -> None:
    await say(served, channel, "how are we doing?")
    heard = (await agent.wait_for(1))[0].json
    assert (heard["text"], heard["channel"], heard["person"]["email"]) == (
        "how are we doing?", channel, PEOPLE[channel],
    )  # fmt: skip


async def test_the_call_to_the_agent_is_signed(served: World, agent: Thinker) -> None:
    await say(served, "slack", "how are we doing?")
    heard = (await agent.wait_for(1))[0]
    assert heard.headers["webhook-signature"].startswith("v1,")


@on_both
async def test_the_agent_may_answer_with_a_question(served: World, agent: Thinker, channel: str) -> None:
    payload = {"agent": "Scribe", "tool": "crm.update", "summary": "Raise the price"}
    agent.reply = {"markdown": "Shall I?", "interaction": {"kind": "write_confirmation", "payload": payload}}
    await say(served, channel, "raise the price")
    await told(served, channel, "Shall I?")
    await told(served, channel, "Scribe wants to write")
    if channel == "slack":
        await served.slack.dm(ANA).click("Execute")
    else:
        await served.teams.chat(BEN).click("Execute")
    await told(served, channel, f"Execution approved by {NAMES[channel]}")


@on_both
async def test_a_question_of_the_agent_that_cannot_be_shown_is_said(
    served: World, agent: Thinker, channel: str
) -> None:
    agent.reply = {"interaction": {"kind": "write_confirmation", "payload": {"tool": "t"}}}
    await say(served, channel, "raise the price")
    await told(served, channel, "Your agent asked something that cannot be shown: payload.agent")


@on_both
@pytest.mark.parametrize("code", [302, 404, 500])
async def test_an_agent_that_fails_is_said(served: World, agent: Thinker, channel: str, code: int) -> None:
    agent.fail(status(code))
    await say(served, channel, "how are we doing?")
    await told(served, channel, f"Your agent did not answer (HTTP {code}).")


@on_both
async def test_an_agent_that_is_away_is_said_without_its_address(
    platforms: Platforms, data: Path, channel: str
) -> None:
    async with installed(platforms, data, AGENT_URL="http://127.0.0.1:9/agent") as world:
        await say(world, channel, "how are we doing?")
        await told(world, channel, "Your agent could not be reached.")
        shown = world.slack.dm(ANA).shown_text() + world.teams.chat(BEN).shown_text()
        assert "127.0.0.1" not in shown


@on_both
async def test_without_an_agent_the_bot_says_so(world: World, channel: str) -> None:
    await say(world, channel, "how are we doing?")
    await told(world, channel, "No agent is set up to answer the rest.")


# ---- a sign while it works -------------------------------------------------------------------------------------------


async def test_teams_shows_typing_every_two_to_three_seconds(served: World, agent: Thinker) -> None:
    agent.think()
    await say(served, "teams", "think hard")
    chat = served.teams.chat(BEN)
    await chat.wait_for(lambda each: len(each.typing) == 3)
    agent.answer_now()
    await chat.wait_for("well")
    first, _, third = chat.typing
    assert 2.0 <= (third - first) / 2 <= 3.0


async def test_slack_shows_a_status_until_the_answer(served: World, agent: Thinker) -> None:
    agent.think()
    await say(served, "slack", "think hard")
    dm = served.slack.dm(ANA)
    await dm.wait_for(lambda each: each.status == "is thinking…")
    agent.answer_now()
    await dm.wait_for("well")
    await served.settled()
    assert dm.status == ""


async def test_where_slack_takes_no_status_a_placeholder_becomes_the_answer(served: World, agent: Thinker) -> None:
    served.slack.fail(error("missing_scope"), path="assistant.threads.setStatus")
    agent.think()
    await say(served, "slack", "think hard")
    dm = served.slack.dm(ANA)
    await dm.wait_for("…")
    agent.answer_now()
    await dm.wait_for("well")
    assert [message.shown_text() for message in dm.messages if message.from_bot] == ["All is *well*."]


# ---- nobody waits for an agent ---------------------------------------------------------------------------------------


@on_both
async def test_a_click_never_waits_behind_an_agent(served: World, agent: Thinker, channel: str) -> None:
    agent.think()
    asked = await served.ask_blocked([PEOPLE[channel]])
    await told(served, channel, "Keep blocked")
    await say(served, channel, "think for ever")
    await served.until(lambda: served.slack.dm(ANA).status or served.teams.chat(BEN).typing)
    if channel == "slack":
        await served.slack.dm(ANA).click("Approve")
    else:
        await served.teams.chat(BEN).click("Approve")
    assert (await served.end_of(asked["id"]))["status"] == "decided"
    assert agent.told == []


@on_both
async def test_a_known_word_never_waits_behind_an_agent(served: World, agent: Thinker, channel: str) -> None:
    agent.think()
    await say(served, channel, "think for ever")
    await say(served, channel, "help")
    await told(served, channel, "to see the requests that wait for you")
    assert agent.told == []


@on_both
async def test_a_message_is_acknowledged_before_the_agent_answers(served: World, agent: Thinker, channel: str) -> None:
    agent.think()
    assert await say(served, channel, "think for ever")
    assert agent.told == []


async def test_two_messages_of_one_person_are_answered_in_order(served: World, agent: Thinker) -> None:
    agent.reply = lambda heard: f"About {heard['text']}"
    await say(served, "slack", "one")
    await say(served, "slack", "two")
    await told(served, "slack", "About two")
    shown = served.slack.dm(ANA).shown_text()
    assert shown.index("About one") < shown.index("About two")


async def test_a_slash_command_is_answered_to_the_person_alone(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    await room.command("/gatebell", "status", by=ANA)
    await room.wait_for(lambda _: room.private(ANA))
    assert "Slack: ready" in room.private(ANA)[-1].shown_text()
    assert (room.private(CLEO), [message for message in room.messages if message.from_bot]) == ([], [])
