"""What an agent is told, and what becomes of its answer."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from bot.channels.contract import DeliveryError, Reason
from bot.conversations.agent import Endpoint, endpoint_of
from bot.dispatch.notice import Audience, Unfit
from bot.rehearsal import failure
from bot.rehearsal.caller import AgentEndpoint
from interactions.kinds.clarification import Clarification, Option
from interactions.model import ReasonRule, Requester
from tests.channels.http.receiver import Receiver
from tests.conversations.scene import BEN_HERE, CLEO_HERE, EVA_HERE, SECRET, Screen, SlowAgent, World

TRY_AGAIN = "Try again, or tell the owner of this bot."


# ---- what it is told ------------------------------------------------


async def test_the_agent_is_told_who_wrote_what_and_where(world: World, agent: AgentEndpoint) -> None:
    await world.hear("  How is the build?  ")
    told = agent.last.json
    assert {**told, "id": ""} == {
        "id": "",
        "text": "How is the build?",
        "person": {
            "platform": "chat",
            "subject": "U1",
            "name": "Ana",
            "email": "ana@example.com",
            "operator": "op_ana",
        },
        "channel": "chat",
        "conversation": "chat:U1",
        "at": "2026-11-21T12:00:00.000Z",
    }


def verified(secret: str, agent: AgentEndpoint) -> str:
    """The signature as a receiver would make it of what came."""
    told = agent.last
    at = datetime.fromtimestamp(int(told.headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(told.headers["webhook-id"], at, told.raw.decode())


async def test_the_call_is_signed(world: World, agent: AgentEndpoint) -> None:
    await world.hear("hello")
    assert agent.last.headers["webhook-signature"] == verified(SECRET, agent)


async def test_the_id_of_the_message_is_the_one_that_was_signed(world: World, agent: AgentEndpoint) -> None:
    await world.hear("hello")
    assert agent.last.headers["webhook-id"] == agent.last.json["id"]


async def test_every_message_has_an_id_of_its_own(world: World, agent: AgentEndpoint) -> None:
    await world.hear("hello")
    await world.hear("hello")
    assert len({told.json["id"] for told in agent.told}) == 2


@pytest.mark.parametrize(
    "secret, key",
    [
        (SECRET, SECRET),
        (SECRET.removeprefix("whsec_"), SECRET),
        ("kitten!", "whsec_a2l0dGVuIQ=="),
        ("whsec_", "whsec_d2hzZWNf"),
        ("whsec_not base64", "whsec_d2hzZWNfbm90IGJhc2U2NA=="),
    ],
)
async def test_any_secret_signs(world: World, agent: AgentEndpoint, secret: str, key: str) -> None:
    world.endpoint = endpoint_of({"AGENT_URL": agent.url, "AGENT_SECRET": secret})
    await world.hear("hello")
    assert agent.last.headers["webhook-signature"] == verified(key, agent)


async def test_without_a_secret_there_is_no_signature(world: World, agent: AgentEndpoint) -> None:
    world.endpoint = endpoint_of({"AGENT_URL": agent.url})
    await world.hear("hello")
    assert "webhook-signature" not in agent.last.headers


@pytest.mark.parametrize("settings", [{}, {"AGENT_URL": " "}, {"AGENT_SECRET": SECRET}])
def test_without_an_address_there_is_no_agent(settings: dict[str, str]) -> None:
    assert endpoint_of(settings) is None


@pytest.mark.parametrize("text", ["/ack 1; rm", "{{7*7}}", "<!channel> ${HOME} `id`", "a\x00b\u202e", "half \ud800"])
async def test_text_arrives_literally(world: World, agent: AgentEndpoint, text: str) -> None:
    await world.hear(text)
    assert agent.last.json["text"] == text


@pytest.mark.parametrize("person", [CLEO_HERE, BEN_HERE], ids=["unknown", "removed"])
async def test_a_stranger_does_not_reach_the_agent(world: World, agent: AgentEndpoint, person: Any) -> None:
    await world.hear("hello", Screen(person))
    assert agent.told == []


@pytest.mark.parametrize("length, calls", [(8000, 1), (8001, 0)])
async def test_a_message_is_bounded(world: World, agent: AgentEndpoint, length: int, calls: int) -> None:
    await world.hear("x" * length)
    assert len(agent.told) == calls


async def test_what_is_too_long_is_said(world: World) -> None:
    assert await world.hear("x" * 8001) == [
        "That is too long for one message: 8,000 characters are the most I can pass on."
    ]


# ---- what it answers ------------------------------------------------


@pytest.mark.parametrize(
    "reply", ["It is **green**.", {"markdown": "It is **green**."}, {"markdown": " It is **green**.\n"}]
)
async def test_its_answer_is_said(world: World, agent: AgentEndpoint, reply: Any) -> None:
    agent.reply = reply
    assert await world.hear("build?") == ["It is **green**."]


@pytest.mark.parametrize("reply", ["", "  ", {}, {"markdown": ""}, {"later": "key"}])
async def test_an_empty_answer_says_nothing(world: World, agent: AgentEndpoint, reply: Any) -> None:
    agent.reply = reply
    assert await world.hear("build?") == []


async def test_an_answer_hides_nothing(world: World, agent: AgentEndpoint) -> None:
    agent.reply = {"markdown": "al\u202el\x00 well"}
    assert await world.hear("build?") == ["all well"]


async def test_a_long_answer_is_cut(world: World, agent: AgentEndpoint) -> None:
    agent.reply = "x" * 50_000
    (said,) = await world.hear("build?")
    assert (len(said), said[-1]) == (12_000, "…")


async def test_it_is_seen_typing_while_the_agent_works(world: World, agent: AgentEndpoint) -> None:
    agent.reply = lambda body: f"typing: {world.ana.typing_now}"
    assert (await world.hear("build?"), world.ana.typing_now) == (["typing: True"], False)


async def test_an_answer_takes_the_place_of_the_sign_that_it_is_coming(world: World, agent: AgentEndpoint) -> None:
    await world.hear("build?")
    assert world.ana.said_while_typing == world.ana.said != []


async def test_a_silent_agents_end_takes_the_place_of_the_sign_too(world: World, agent: AgentEndpoint) -> None:
    agent.fail(failure.status(500))
    await world.hear("build?")
    assert world.ana.said_while_typing == world.ana.said != []


@pytest.mark.parametrize(
    "trouble, words",
    [
        (failure.status(502), "Your agent did not answer (HTTP 502)."),
        (failure.status(404), "Your agent did not answer (HTTP 404)."),
        (failure.redirect("/elsewhere"), "Your agent did not answer (HTTP 302)."),
        (failure.reset(), "Your agent could not be reached."),
        (failure.hang(), "Your agent did not answer in time."),
        (failure.http(200, "x" * 1_100_000), "Your agent answered more than I can read."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_failing_agent_is_told_in_plain_words(
    world: World, agent: AgentEndpoint, trouble: failure.Failure, words: str
) -> None:
    agent.fail(trouble)
    hurried = World(world.http, world.endpoint, seconds=0.5)
    assert await hurried.hear("build?") == [f"{words} {TRY_AGAIN}"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"markdown": ',
        b"[]",
        b"7",
        b'{"markdown": 7}',
        b'{"markdown": "\\ud800"}',
        b'{"interaction": {"kind": "clarification"}}',
        b'{"interaction": {"kind": "k", "payload": {}, "approve": true}}',
        b'{"interaction": {"kind": "k", "payload": {}, "expires_in": -1}}',
        b'{"interaction": {"kind": "k", "payload": {}, "callback_url": "javascript:x"}}',
        b'{"interaction": {"kind": "k", "payload": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}}",
        b"\xff\xfe",
    ],
    ids=lambda body: ascii(body[:40]),
)
async def test_nonsense_is_told_in_plain_words(offline: World, body: bytes) -> None:
    async with Receiver(body=body, headers={"Content-Type": "application/json"}) as receiver:
        offline.endpoint = Endpoint(receiver.url)
        said = await offline.hear("build?")
    assert said == [f"Your agent answered something that I cannot read. {TRY_AGAIN}"]


async def test_an_answer_of_another_kind_cannot_be_read(offline: World) -> None:
    async with Receiver(body=b"\x89PNG", headers={"Content-Type": "image/png"}) as receiver:
        offline.endpoint = Endpoint(receiver.url)
        said = await offline.hear("build?")
    assert said == [f"Your agent answered something that I cannot read. {TRY_AGAIN}"]


async def test_an_agent_that_is_away_is_told_without_its_address(world: World) -> None:
    world.endpoint = Endpoint("http://127.0.0.1:9/secret-path", (SECRET,))
    assert await world.hear("build?") == [f"Your agent could not be reached. {TRY_AGAIN}"]


async def test_an_answer_that_does_not_reach_the_person_is_the_edges_loss(world: World) -> None:
    world.ana.failure = DeliveryError(Reason.UNAVAILABLE)
    assert await world.hear("build?") == []


# ---- what it asks ------------------------------------------------

QUESTION = {"question": "Which?", "choices": [{"id": "a", "label": "A"}], "agent": "Builder"}


async def test_its_question_is_put_to_the_person_who_wrote(world: World, agent: AgentEndpoint) -> None:
    agent.reply = {"interaction": {"kind": "clarification", "payload": QUESTION, "expires_in": 60}}
    await world.hear("build?")
    (ask,) = world.requests.asked
    assert (ask.question, ask.audience, ask.requester, ask.expires_in, ask.producer) == (
        Clarification(question="Which?", choices=(Option(id="a", label="A"),), agent="Builder"),
        Audience(("op_ana",), channel="chat"),
        Requester(agent="Builder", session="chat:U1"),
        60.0,
        "agent",
    )


async def test_its_wishes_go_along(world: World, agent: AgentEndpoint) -> None:
    wishes = {"reason": "optional", "callback_url": "https://agent.example/told", "idempotency_key": "k1"}
    agent.reply = {"interaction": {"kind": "clarification", "payload": QUESTION, **wishes}}
    await world.hear("build?")
    (ask,) = world.requests.asked
    assert (ask.reason, ask.callback_url, ask.idempotency_key) == (
        ReasonRule.OPTIONAL,
        "https://agent.example/told",
        "chat:U1:k1",
    )


async def test_its_key_belongs_to_one_conversation_and_one_question(world: World, agent: AgentEndpoint) -> None:
    for question in ("Which?", "Which?", "Which now?"):
        payload = {**QUESTION, "question": question}
        agent.reply = {"interaction": {"kind": "clarification", "payload": payload, "idempotency_key": "k1"}}
        await world.hear("build?")
    first, again, other = world.requests.asked
    assert first.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.parametrize("seconds", [1e15, 32 * 86400])
async def test_a_question_that_would_wait_for_ever_is_refused_in_words(
    world: World, agent: AgentEndpoint, seconds: float
) -> None:
    agent.reply = {"interaction": {"kind": "clarification", "payload": QUESTION, "expires_in": seconds}}
    (said,) = await world.hear("build?")
    assert not world.requests.asked
    assert said.startswith("Your agent answered something that I cannot read")


async def test_it_may_say_and_ask(world: World, agent: AgentEndpoint) -> None:
    agent.reply = {"markdown": "One thing:", "interaction": {"kind": "clarification", "payload": QUESTION}}
    assert (await world.hear("build?"), len(world.requests.asked)) == (["One thing:"], 1)


@pytest.mark.parametrize(
    "kind, payload, words",
    [
        ("approve_all", {}, r"unknown kind 'approve_all'"),
        ("clarification", {"question": "Which?"}, r"payload.choices: Field required"),
        ("clarification", {**QUESTION, "agent": "<!channel>" * 99}, r"payload.agent: String should have at most"),
    ],
)
async def test_a_question_that_does_not_fit_is_told(
    world: World, agent: AgentEndpoint, kind: str, payload: dict[str, Any], words: str
) -> None:
    agent.reply = {"interaction": {"kind": kind, "payload": payload}}
    (said,) = await world.hear("build?")
    assert words in said


async def test_a_refused_question_is_told_literally(world: World, agent: AgentEndpoint) -> None:
    world.requests.refusal = Unfit("no *such* thing")
    agent.reply = {"interaction": {"kind": "clarification", "payload": QUESTION}}
    (said,) = await world.hear("build?")
    assert r"no \*such\* thing" in said


# ---- one after the other ------------------------------------------------


async def test_messages_of_one_person_are_answered_in_order(world: World, agent: AgentEndpoint) -> None:
    agent.reply = lambda body: f"re: {body['text']}"
    slow = agent.fail(failure.slow(0.2), times=1)
    await asyncio.gather(*(world.hear(text) for text in ("one", "two", "three")))
    agent.heal(slow)
    assert world.ana.said == ["re: one", "re: two", "re: three"]


async def in_the_meantime(queue: World, slow: SlowAgent, waiting: int, text: str) -> list[str]:
    """What is said to a further message while the agent works on one of Ana's and `waiting` others stand in line."""
    async with asyncio.TaskGroup() as group:
        for number in range(1 + waiting):
            group.create_task(queue.hear(f"message {number}"))
        await slow.wait_for(1)
        further = group.create_task(queue.hear(text))
        await asyncio.wait([further], timeout=0.2)
        said = list(queue.ana.said)
        slow.go.set()
    return said


async def test_one_message_of_a_person_is_with_the_agent_at_a_time(queue: World, slow: SlowAgent) -> None:
    async with asyncio.TaskGroup() as group:
        for text in ("one", "two"):
            group.create_task(queue.hear(text))
        await slow.wait_for(1)
        await asyncio.sleep(0.1)
        together = len(slow.told)
        slow.go.set()
    assert together == 1


async def test_another_person_does_not_wait(queue: World, slow: SlowAgent) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(queue.hear("one"))
        group.create_task(queue.hear("two", Screen(EVA_HERE)))
        await slow.wait_for(2)
        slow.go.set()
    assert {told.json["text"] for told in slow.told} == {"one", "two"}


async def test_more_than_a_few_do_not_stand_in_line(queue: World, slow: SlowAgent) -> None:
    assert await in_the_meantime(queue, slow, 3, "one more") == [
        "Your agent still works on your earlier messages. Please send this again later."
    ]


async def test_a_few_stand_in_line(queue: World, slow: SlowAgent) -> None:
    assert await in_the_meantime(queue, slow, 2, "one more") == []


async def test_those_in_line_are_all_answered(queue: World, slow: SlowAgent) -> None:
    await in_the_meantime(queue, slow, 2, "one more")
    assert len(queue.ana.said) == 4


async def test_a_command_does_not_wait_for_the_agent(queue: World, slow: SlowAgent) -> None:
    assert await in_the_meantime(queue, slow, 1, "status") == ["Every channel is well. 3 copies wait."]


async def test_the_next_message_finds_no_line_after_a_failure(world: World, agent: AgentEndpoint) -> None:
    agent.fail(failure.reset(), times=1)
    await world.hear("one")
    assert (await world.hear("two"))[-1] == "All is **well**."
