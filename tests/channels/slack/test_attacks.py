"""Requests that are not Slack's, not ours, or came before."""

import json
import time
from collections.abc import Mapping
from io import BytesIO
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from bot.channels.slack_requests import is_signed
from bot.rehearsal.failure import error
from bot.rehearsal.platform import Json
from bot.rehearsal.slack import SlackWorkspace
from tests.channels.slack.world import World, world_of

HOME = {"id": "T0REHEARSE"}
FORM = "application/x-www-form-urlencoded"


async def click_of(world: World) -> Json:
    await world.ask()
    return world.slack.dm("ana@example.com").payload("Approve")


def form(payload: Json) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_the_signature_that_slack_documents_is_right() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    secret = b"8f742231b10e8888abcd99yyyzzz85a5"
    assert is_signed(body, "1531420618", signature, secret, at=1531420618)
    assert is_signed(body, "1531420618", signature, secret, at=1531420918)
    assert not is_signed(body, "1531420618", signature, secret, at=1531420919)
    assert not is_signed(body, "1531420618", signature, b"", at=1531420618)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": None},
        {"X-Slack-Request-Timestamp": None},
        {"X-Slack-Signature": None, "X-Slack-Request-Timestamp": None},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=\u00e9"},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "-1"},
    ],
    ids=str,
)
async def test_a_request_with_a_bad_header_changes_nothing(world: World, headers: Mapping[str, str | None]) -> None:
    delivery = await world.slack.deliver(form(await click_of(world)), headers, content_type=FORM)
    await world.settled()
    assert (delivery.status, world.desk.clicks) == (401, [])


async def test_a_request_with_the_wrong_secret_changes_nothing(world: World) -> None:
    delivery = await world.slack.deliver(form(await click_of(world)), content_type=FORM, secret="0" * 32)
    await world.settled()
    assert (delivery.status, world.desk.clicks) == (401, [])


@pytest.mark.parametrize("off", [-301, 302])
async def test_a_request_from_another_time_changes_nothing(world: World, off: float) -> None:
    body = form(await click_of(world))
    delivery = await world.slack.deliver(body, content_type=FORM, timestamp=time.time() + off)
    await world.settled()
    assert (delivery.status, world.desk.clicks) == (401, [])


async def test_a_changed_body_changes_nothing(world: World) -> None:
    payload = await click_of(world)
    at = str(int(time.time()))
    signature = world.slack.sign(form(payload), at)
    payload["user"]["id"] = "U0BEN"
    delivery = await world.slack.deliver(
        form(payload), {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": at}, content_type=FORM
    )
    await world.settled()
    assert (delivery.status, world.desk.clicks) == (401, [])


async def test_an_unsigned_attempt_is_audited_but_not_a_thousand_times(world: World) -> None:
    for _ in range(20):
        await world.slack.deliver(b"{}", secret="0" * 32)
    await world.settled()
    assert world.desk.refusals == [("slack", "a request without a valid signature", "")]


async def test_a_request_that_is_repeated_has_one_effect(world: World) -> None:
    body, at = form(await click_of(world)), str(int(time.time()))
    headers = {"X-Slack-Signature": world.slack.sign(body, at), "X-Slack-Request-Timestamp": at}
    for _ in range(3):
        assert (await world.slack.deliver(body, headers, content_type=FORM)).status == 200
    await world.settled()
    assert len(world.desk.clicks) == 1
    assert ("slack", "a request that came before", "") in world.desk.refusals


async def test_a_click_that_is_signed_again_has_one_effect(either: World) -> None:
    payload = await click_of(either)
    for _ in range(3):
        await either.slack.interact(payload)
    await either.settled()
    assert len(either.desk.clicks) == 1


async def test_a_submission_that_is_signed_again_has_one_effect(either: World) -> None:
    either.desk.card = either.too_long()
    await either.ask(either.desk.card)
    modal = await (await either.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    modal.fill({"choice": "Approve"})
    payload = either.slack.payloads.view_submission(modal.view, either.slack.state.person("U0ANA"))
    for _ in range(2):
        await either.slack.interact(payload)
    assert len(either.desk.clicks) == 1


async def test_a_command_that_is_told_again_has_one_effect(either: World) -> None:
    person, dm = either.slack.state.person("U0ANA"), either.slack.dm("ana@example.com")
    command = either.slack.payloads.command(dm.room, person, "/gatebell", "hi")
    for _ in range(2):
        await either.slack.push.command(command)
    await either.settled()
    assert [text for text, _ in either.talk.heard] == ["hi"]


async def test_slacks_own_retries_have_one_effect(world: World) -> None:
    person = world.slack.state.person("U0ANA")
    dm = world.slack.dm("ana@example.com")
    await dm.say("hello")
    envelope = world.slack.payloads.message_event(dm.room, dm.room.messages[-1], person)
    for attempt in range(1, 4):
        delivery = await world.slack.deliver(
            json.dumps(envelope).encode(),
            {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_timeout"},
            timestamp=time.time() - attempt,  # so that each has a signature of its own
        )
        assert delivery.status == 200
    await world.slack.until(lambda: len(world.talk.heard) > 1, what="the message")
    await world.settled()
    assert [text for text, _ in world.talk.heard] == ["hello", "hello"]  # said once, and told again as one event


@pytest.mark.parametrize(
    "change, why",
    [
        ({"team": {"id": "T0ELSEWHERE", "domain": "elsewhere"}}, "a request from another workspace"),
        ({"team": None, "enterprise": {"id": "E0ELSEWHERE"}}, "a request from another workspace"),
        ({"team": None, "enterprise": None}, "a request from another workspace"),
        ({"api_app_id": "A0OTHER"}, "a request from another app"),
    ],
    ids=str,
)
async def test_a_click_from_elsewhere_is_refused_and_audited(either: World, change: Json, why: str) -> None:
    payload = {**await click_of(either), **change}
    assert (await either.slack.interact(payload)).acknowledged
    await either.settled()
    assert either.desk.clicks == []
    assert [(platform, said) for platform, said, _ in either.desk.refusals] == [("slack", why)]
    assert either.desk.refusals[0][2].endswith(":U0ANA")


async def test_where_slack_does_not_say_which_app_this_is_the_first_click_tells_it(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    workspace.fail(error("missing_scope"), path="bots.info")
    settings = {"SLACK_SIGNING_SECRET": workspace.signing_secret}
    async with world_of(workspace, session, **settings) as world:
        elsewhere = {**await click_of(world), "api_app_id": "A0OTHER"}
        world.channel.people.app = ""  # as if the message had not told it
        world.shelf.kept.clear()
        await workspace.dm("ana@example.com").click("Approve")
        await world.settled()
        await workspace.interact(elsewhere)
        await world.settled()
        assert len(world.desk.clicks) == 1
    async with world_of(workspace, session, **settings) as later:
        later.shelf.kept.update(world.shelf.kept)
        await workspace.interact(elsewhere)
        await later.settled()
    assert (later.desk.clicks, [why for _, why, _ in later.desk.refusals]) == ([], ["a request from another app"])


async def test_a_submission_from_elsewhere_is_refused(world: World) -> None:
    world.desk.card = world.too_long()
    await world.ask(world.desk.card)
    modal = await (await world.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    modal.fill({"choice": "Approve"})
    payload = world.slack.payloads.view_submission(modal.view, world.slack.state.person("U0ANA"))
    await world.slack.interact({**payload, "team": {"id": "T0ELSEWHERE"}})
    assert world.desk.clicks == []
    assert len(world.desk.refusals) == 1


async def test_a_message_and_a_command_from_elsewhere_are_refused(world: World) -> None:
    person, dm = world.slack.state.person("U0ANA"), world.slack.dm("ana@example.com")
    command = {**world.slack.payloads.command(dm.room, person, "/gatebell", "hi"), "team_id": "T0ELSEWHERE"}
    await world.slack.push.command(command)
    await dm.say("hello")
    await world.settled()
    heard = len(world.talk.heard)
    event = world.slack.payloads.message_event(dm.room, dm.room.messages[0], person)
    await world.slack.push.event({**event, "team_id": "T0ELSEWHERE"})
    await world.settled()
    assert (heard, len(world.talk.heard)) == (1, 1)
    assert [who for _, _, who in world.desk.refusals] == ["T0ELSEWHERE:U0ANA"] * 2


async def test_nothing_counts_while_nobody_knows_whose_workspace_this_is(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    workspace.fail(error("invalid_auth"), path="auth.test")
    async with world_of(workspace, session, SLACK_SIGNING_SECRET=workspace.signing_secret) as world:
        await workspace.interact(await click_of(world))
        await world.settled()
    assert world.desk.clicks == []


async def test_a_window_does_not_close_as_if_an_answer_counted_that_nobody_could_check(
    workspace: SlackWorkspace, session: ClientSession
) -> None:
    settings = {"SLACK_SIGNING_SECRET": workspace.signing_secret}
    async with world_of(workspace, session, **settings) as world:
        world.desk.card = world.too_long()
        await world.ask(world.desk.card)
        modal = await (await workspace.dm("ana@example.com").click("Review full request")).wait_for_modal()
    workspace.fail(error("fatal_error"), path="auth.test")
    async with world_of(workspace, session, **settings) as later:
        await modal.fill({"choice": "Approve"}).submit()
    assert (later.desk.clicks, modal.is_open) == ([], True)
    assert "nothing was changed" in modal.shown_text()


async def test_without_a_signing_secret_there_is_no_address(workspace: SlackWorkspace, session: ClientSession) -> None:
    async with world_of(workspace, session) as world:
        delivery = await workspace.deliver(form(await click_of(world)), content_type=FORM)
    assert delivery.status == 404
    assert world.channel.routes() == ()


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"null", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 20_000 + b"]" * 20_000, "application/json"),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload=" + b"[" * 20_000, FORM),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_signed_nonsense_is_a_bad_request(world: World, body: bytes, content_type: str) -> None:
    assert (await world.slack.deliver(body, content_type=content_type)).status == 400


CLICK: Json = {"type": "block_actions", "team": HOME, "user": {"id": "U0ANA"}}
MODAL: Json = {"type": "modal", "callback_id": "answer", "state": {}}
WINDOW: Json = {"type": "view_submission", "team": HOME, "user": {"id": "U0ANA"}}


@pytest.mark.parametrize(
    "payload",
    [
        {**CLICK, "actions": "none"},
        {**CLICK, "actions": []},
        {**CLICK, "actions": [{"action_id": 7}]},
        {**CLICK, "actions": [{"action_id": "review"}, "none"]},
        {**CLICK, "user": "U0ANA", "actions": [{"action_id": "review"}]},
        {**CLICK, "user": {"id": 7}, "actions": [{"action_id": "review"}]},
        {**WINDOW, "user": None, "view": MODAL},
        {**WINDOW, "view": {**MODAL, "state": []}},
        {**WINDOW, "view": {**MODAL, "callback_id": 7}},
        {**WINDOW, "view": {**MODAL, "type": None}},
        {**WINDOW, "view": "answer"},
        {"type": "event_callback", "event": {"type": "message", "channel_type": "im", "user": 7}},
    ],
    ids=lambda payload: json.dumps(payload)[60:120],
)
async def test_a_signed_payload_that_lacks_what_slack_promises_is_a_bad_request(world: World, payload: Json) -> None:
    assert (await world.slack.deliver(json.dumps(payload).encode())).status == 400
    assert world.desk.clicks == []


@pytest.mark.parametrize(
    "payload",
    [
        {**CLICK, "actions": [{"action_id": "review", "value": 7}]},
        {**CLICK, "channel": "C", "container": "m", "actions": [{"action_id": "choice:approve", "value": "x"}]},
        {**WINDOW, "view": {**MODAL, "callback_id": "other"}},
        {"type": "something_new", "a": float("nan"), "b": "\ud800"},
        {"type": "event_callback", "event": {"type": "app_home_opened"}},
        {"ssl_check": "1"},
    ],
    ids=lambda payload: json.dumps(payload)[:60],
)  # fmt: skip
async def test_odd_payloads_never_decide_and_never_break(world: World, payload: Json) -> None:
    assert (await world.slack.deliver(json.dumps(payload).encode())).status == 200
    assert world.desk.clicks == []
    assert world.talk.heard == []
    world.tasks.clear()


async def test_a_body_that_is_too_long_is_not_read(world: World, session: ClientSession) -> None:
    async with session.post(str(world.slack.events_url), data=BytesIO(b"x" * (1024 * 1024 + 1))) as reply:
        assert reply.status == 413


async def test_bolts_own_switches_do_not_work_from_outside(world: World) -> None:
    headers = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "x"}
    await world.slack.deliver(form(await click_of(world)), headers, content_type=FORM)
    await world.settled()
    assert len(world.desk.clicks) == 1


async def test_the_address_proves_itself_to_slack(world: World) -> None:
    delivery = await world.slack.verify_url("proof")
    assert (delivery.status, delivery.body) == (200, {"challenge": "proof"})
