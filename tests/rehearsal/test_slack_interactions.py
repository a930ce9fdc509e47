import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.slack import SlackWorkspace
from tests.rehearsal.listening import actions, button, listening, menu, text


def reason_modal(**more: Any) -> dict[str, Any]:
    asked = {"type": "plain_text_input", "action_id": "words", "max_length": 20}
    block = {"type": "input", "block_id": "reason", "label": text("Reason"), "element": asked}
    return {
        "type": "modal",
        "callback_id": "why",
        "title": text("Why?"),
        "submit": text("Send"),
        "blocks": [block],
        **more,
    }


class App:
    """Keeps what it is sent; answers each kind of request as the test wants."""

    def __init__(self, slack: SlackWorkspace) -> None:
        self.slack = slack
        self.client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        self.payloads: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.verified: list[bool] = []
        self.answers: dict[str, Any] = {}
        self.modal: dict[str, Any] | None = None
        self.delay = 0.0

    async def take(self, request: web.Request) -> web.StreamResponse:
        raw = (await request.read()).decode()
        self.verified.append(SignatureVerifier(self.slack.signing_secret).is_valid_request(raw, dict(request.headers)))
        self.headers.append(request.headers)
        form = await request.post()
        payload: Any = json.loads(str(form["payload"])) if "payload" in form else dict(form) or json.loads(raw)
        self.payloads.append(payload)
        await asyncio.sleep(self.delay)
        if self.modal is not None and payload["type"] == "block_actions":
            await self.client.views_open(trigger_id=payload["trigger_id"], view=self.modal)
        answer = self.answers.get(str(payload.get("type") or payload.get("command")), "")
        return (
            web.Response(status=answer)
            if isinstance(answer, int)
            else web.json_response(answer)
            if answer
            else web.Response()
        )

    async def post(self, channel: str, *blocks: dict[str, Any]) -> None:
        await self.client.chat_postMessage(channel=channel, text="Asked", blocks=list(blocks))


@pytest.fixture
async def slack() -> AsyncIterator[SlackWorkspace]:
    async with SlackWorkspace(patience=0.5) as workspace:
        workspace.add_person("Ana Silva", "ana@example.com", user_id="U0ANA")
        workspace.add_person("Cleo Out", "cleo@example.com", user_id="U0CLEO")
        workspace.add_channel("#ops", ["ana@example.com"])
        yield workspace


@pytest.fixture
async def app(slack: SlackWorkspace) -> AsyncIterator[App]:
    app = App(slack)
    async with listening(app.take) as url:
        slack.events_url = url
        yield app


async def test_a_click_carries_a_signature_that_the_sdk_accepts(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve", value="ref-1")))
    await slack.dm("ana@example.com").click("Approve")
    assert app.verified == [True]


async def test_a_click_says_who_pressed_what_where(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve", value="ref-1")))
    await slack.dm("ana@example.com").click("Approve")
    sent = app.payloads[0]
    assert (sent["type"], sent["user"]["id"], sent["team"]["id"], sent["api_app_id"]) == (
        "block_actions",
        "U0ANA",
        slack.team_id,
        slack.app_id,
    )
    assert (sent["actions"][0]["value"], sent["actions"][0]["block_id"]) == ("ref-1", "decide")
    assert sent["container"]["message_ts"] == sent["message"]["ts"] == slack.dm("U0ANA").last.ts


async def test_somebody_else_can_forge_the_click(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve")))
    await slack.dm("ana@example.com").click("Approve", by="cleo@example.com")
    assert app.payloads[0]["user"]["id"] == "U0CLEO"


async def test_a_label_that_is_not_there_cannot_be_clicked(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve")))
    with pytest.raises(LookupError, match="there is \\['Approve'\\]"):
        await slack.dm("ana@example.com").click("Deny")


async def test_a_click_in_an_attachment_names_the_attachment(slack: SlackWorkspace, app: App) -> None:
    attachments = [{"color": "#FF0000", "blocks": [actions(button("Acknowledge"))]}]
    await app.client.chat_postMessage(channel="#ops", text="Alert", attachments=attachments)
    await slack.room("#ops").click("Acknowledge", by="ana@example.com")
    container = app.payloads[0]["container"]
    assert (container["type"], container["attachment_id"]) == ("message_attachment", 1)


async def test_a_choice_from_a_menu_says_what_was_chosen(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(menu("Red", "Blue")))
    await slack.dm("ana@example.com").choose("Blue")
    sent = app.payloads[0]
    assert sent["actions"][0]["selected_option"]["value"] == "blue"
    assert sent["state"]["values"]["decide"]["pick"]["selected_option"]["value"] == "blue"


async def test_an_app_that_is_too_slow_has_not_acknowledged(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve")))
    app.delay = 0.8
    pressed = await slack.dm("ana@example.com").click("Approve")
    assert (pressed.acknowledged, pressed.status, pressed.delivery.reason) == (False, None, "http_timeout")
    assert 490 < pressed.ack_ms < 790


async def test_a_click_opens_the_modal_that_the_app_asks_for(slack: SlackWorkspace, app: App) -> None:
    app.modal = reason_modal()
    await app.post("U0ANA", actions(button("Deny")))
    pressed = await slack.dm("ana@example.com").click("Deny")
    modal = await pressed.wait_for_modal()
    assert (modal.title, modal.labels) == ("Why?", ["Reason"])


async def test_a_filled_modal_is_submitted_and_closes(slack: SlackWorkspace, app: App) -> None:
    app.modal = reason_modal(private_metadata="ref-1")
    await app.post("U0ANA", actions(button("Deny")))
    modal = await (await slack.dm("ana@example.com").click("Deny")).wait_for_modal()
    await modal.fill({"Reason": "not today"}).submit()
    view = app.payloads[-1]["view"]
    assert view["state"]["values"]["reason"]["words"]["value"] == "not today"
    assert (view["private_metadata"], view["callback_id"], modal.is_open) == ("ref-1", "why", False)


async def test_a_required_input_holds_the_modal_back(slack: SlackWorkspace, app: App) -> None:
    app.modal = reason_modal()
    await app.post("U0ANA", actions(button("Deny")))
    modal = await (await slack.dm("ana@example.com").click("Deny")).wait_for_modal()
    submitted = await modal.submit()
    assert (submitted.delivery, list(submitted.errors), len(app.payloads)) == (None, ["reason"], 1)


async def test_errors_of_the_app_keep_the_modal_open(slack: SlackWorkspace, app: App) -> None:
    app.modal = reason_modal()
    app.answers["view_submission"] = {"response_action": "errors", "errors": {"reason": "Say more"}}
    await app.post("U0ANA", actions(button("Deny")))
    modal = await (await slack.dm("ana@example.com").click("Deny")).wait_for_modal()
    submitted = await modal.fill({"reason": "no"}).submit()
    assert (submitted.errors, modal.is_open) == ({"reason": "Say more"}, True)


async def test_an_updated_view_takes_the_modals_place(slack: SlackWorkspace, app: App) -> None:
    app.modal = reason_modal()
    app.answers["view_submission"] = {"response_action": "update", "view": reason_modal(title=text("Thanks"))}
    await app.post("U0ANA", actions(button("Deny")))
    modal = await (await slack.dm("ana@example.com").click("Deny")).wait_for_modal()
    await modal.fill({"reason": "no"}).submit()
    assert modal.title == "Thanks"


@pytest.mark.parametrize("notify, told", [(True, ["block_actions", "view_closed"]), (False, ["block_actions"])])
async def test_closing_a_modal_is_told_only_on_request(
    slack: SlackWorkspace, app: App, notify: bool, told: list[str]
) -> None:
    app.modal = reason_modal(notify_on_close=notify)
    await app.post("U0ANA", actions(button("Deny")))
    await (await (await slack.dm("ana@example.com").click("Deny")).wait_for_modal()).close()
    assert [each["type"] for each in app.payloads] == told


async def test_a_trigger_is_worthless_when_its_time_is_over(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Deny")))
    await slack.dm("ana@example.com").click("Deny")
    await asyncio.sleep(0.6)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await app.client.views_open(trigger_id=app.payloads[0]["trigger_id"], view=reason_modal())


async def test_a_trigger_opens_one_modal_only(slack: SlackWorkspace, app: App) -> None:
    app.modal = reason_modal()
    await app.post("U0ANA", actions(button("Deny")))
    await slack.dm("ana@example.com").click("Deny")
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await app.client.views_open(trigger_id=app.payloads[0]["trigger_id"], view=reason_modal())


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(reason_modal(title=text("x" * 25)), id="title over 24"),
        pytest.param(reason_modal(private_metadata="x" * 3001), id="private_metadata over 3000"),
        pytest.param(reason_modal(blocks=[{"type": "divider"}] * 101), id="101 blocks"),
    ],
)
async def test_a_view_over_a_limit_is_refused(slack: SlackWorkspace, app: App, view: dict[str, Any]) -> None:
    await app.post("U0ANA", actions(button("Deny")))
    await slack.dm("ana@example.com").click("Deny")
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await app.client.views_open(trigger_id=app.payloads[0]["trigger_id"], view=view)


async def test_a_direct_message_is_an_event_for_the_app(slack: SlackWorkspace, app: App) -> None:
    await slack.dm("ana@example.com").say("help <me>")
    event = app.payloads[0]["event"]
    assert (event["type"], event["channel_type"], event["text"]) == ("message", "im", "help &lt;me&gt;")


async def test_without_the_history_scope_no_message_is_told() -> None:
    async with SlackWorkspace(scopes=["chat:write"]) as slack:
        slack.add_person("Ana Silva", "ana@example.com")
        assert await slack.dm("ana@example.com").say("help") == []


async def test_an_event_that_is_not_taken_comes_again_with_a_number(slack: SlackWorkspace, app: App) -> None:
    app.answers["event_callback"] = 500
    slack.push.retry_after = (0.0, 0.0)
    await slack.dm("ana@example.com").say("help")
    await slack.until(lambda: len(app.payloads) == 3)
    numbers = [headers.get("X-Slack-Retry-Num") for headers in app.headers]
    assert (numbers, app.headers[1]["X-Slack-Retry-Reason"]) == ([None, "1", "2"], "http_error")
    assert len({payload["event_id"] for payload in app.payloads}) == 1


async def test_a_command_shows_the_apps_answer_to_its_sender(slack: SlackWorkspace, app: App) -> None:
    app.answers["/gatebell"] = {"text": "Two alerts"}
    await slack.room("#ops").command("/gatebell", "list", by="ana@example.com")
    assert [each.text for each in slack.room("#ops").private("ana@example.com")] == ["Two alerts"]


async def test_the_address_check_brings_its_challenge(slack: SlackWorkspace, app: App) -> None:
    await slack.verify_url("abc")
    assert app.payloads == [{"token": slack.app.verification_token, "challenge": "abc", "type": "url_verification"}]


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param({"secret": "another"}, id="wrong secret"),
        pytest.param({"timestamp": time.time() - 301}, id="301 seconds old"),
        pytest.param({"headers": {"X-Slack-Signature": None}}, id="no signature"),
        pytest.param({"headers": {"X-Slack-Signature": "v0=" + "0" * 64}}, id="another body's signature"),
    ],
)
async def test_a_forged_request_is_seen_as_forged(slack: SlackWorkspace, app: App, forgery: dict[str, Any]) -> None:
    await slack.deliver(b'{"type": "block_actions"}', **forgery)
    assert app.verified == [False]


async def test_a_response_url_takes_the_messages_place(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve")))
    await slack.dm("ana@example.com").click("Approve")
    async with ClientSession() as session:
        await session.post(app.payloads[0]["response_url"], json={"text": "Done", "replace_original": True})
    assert [each.text for each in slack.dm("ana@example.com").messages] == ["Done"]


async def test_a_response_url_is_used_up_after_five_answers(slack: SlackWorkspace, app: App) -> None:
    await app.post("U0ANA", actions(button("Approve")))
    await slack.dm("ana@example.com").click("Approve")
    async with ClientSession() as session:
        answers = [await session.post(app.payloads[0]["response_url"], json={"text": "x"}) for _ in range(6)]
    assert [each.status for each in answers] == [200] * 5 + [404]
