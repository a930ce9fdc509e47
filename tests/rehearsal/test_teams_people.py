import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_screen import Chat
from bot.rehearsal.teams_state import Posted
from tests.rehearsal.listening import listening

CARD = "application/vnd.microsoft.card.adaptive"
DONE = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Approved by Ana"}]}


def execute(title: str, **more: Any) -> dict[str, Any]:
    fallback = {"type": "Action.Submit", "title": title, "data": {"ref": "r1", "choice": title.lower()}}
    data = {"ref": "r1"}
    return {"type": "Action.Execute", "title": title, "verb": title.lower(), "data": data, "fallback": fallback, **more}


def asked(*actions: dict[str, Any], inputs: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    body = [{"type": "TextBlock", "text": "May it?"}, *(inputs or [])]
    return {"type": "AdaptiveCard", "version": "1.5", "body": body, "actions": list(actions)}


class App:
    """Keeps the activities it is sent and answers invokes as told."""

    def __init__(self) -> None:
        self.activities: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.answer: Any = {"statusCode": 200, "type": CARD, "value": DONE}
        self.status = 200
        self.delay = 0.0

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.activities.append(await request.json())
        self.headers.append(request.headers)
        await asyncio.sleep(self.delay)
        invoked = self.activities[-1]["type"] == "invoke"
        return web.json_response(self.answer if invoked else None, status=self.status)

    @property
    def last(self) -> dict[str, Any]:
        return self.activities[-1]


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def teams(app: App) -> AsyncIterator[TeamsTenant]:
    async with TeamsTenant(patience=0.5) as tenant, listening(app.take) as url:
        tenant.messages_url = url
        tenant.add_person("Ana Silva", "ana@example.com")
        tenant.add_person("Ben Berg", "ben@example.com")
        yield tenant


@pytest.fixture
def chat(teams: TeamsTenant) -> Chat:
    return teams.chat("ana@example.com")


def lay(chat: Chat, content: dict[str, Any]) -> Posted:
    """A card that the bot posted."""
    post = Posted(
        "17", {"id": "17", "type": "message", "attachments": [{"contentType": CARD, "content": content}]}, True
    )
    chat.thread.posts.append(post)
    return post


async def test_an_installation_tells_where_and_for_whom(teams: TeamsTenant, app: App, chat: Chat) -> None:
    await chat.install()
    assert [each["type"] for each in app.activities] == ["conversationUpdate", "installationUpdate"]
    installed = app.last
    assert (installed["action"], installed["serviceUrl"]) == ("add", teams.service_url)
    assert (installed["conversation"]["id"], installed["conversation"]["conversationType"]) == (chat.id, "personal")
    assert installed["from"]["aadObjectId"] == teams.state.person("ana@example.com").aad_object_id
    assert installed["channelData"]["tenant"]["id"] == teams.tenant_id


async def test_a_team_installation_names_team_and_channel(teams: TeamsTenant, app: App) -> None:
    channel = teams.add_channel("Alerts", ["ana@example.com"], team="Platform")
    await channel.install(by="ana@example.com")
    assert (app.last["channelData"]["team"]["name"], app.last["channelData"]["channel"]["id"]) == (
        "Platform",
        channel.id,
    )


@pytest.mark.parametrize(
    "verb, action, installed",
    [("remove", "remove", False), ("upgrade", "add-upgrade", True), ("leave_by_upgrade", "remove-upgrade", False)],
)
async def test_each_change_of_an_installation_has_its_word(
    app: App, chat: Chat, verb: str, action: str, installed: bool
) -> None:
    await chat.install()
    await getattr(chat, verb)()
    assert (app.last["action"], chat.thread.installed) == (action, installed)


async def test_every_activity_comes_with_a_token_and_its_conversation(teams: TeamsTenant, app: App, chat: Chat) -> None:
    await chat.say("help")
    headers = app.headers[0]
    assert headers["Authorization"].startswith("Bearer ey")
    assert (headers["x-ms-conversation-id"], headers["x-ms-tenant-id"]) == (chat.id, teams.tenant_id)


async def test_a_message_comes_as_text_and_html(app: App, chat: Chat) -> None:
    await chat.say("a < b")
    assert app.last["text"] == "a < b"
    assert app.last["attachments"][0]["content"] == "<div><div>a &lt; b</div>\n</div>"


async def test_in_a_channel_the_bot_is_mentioned(teams: TeamsTenant, app: App) -> None:
    await teams.add_channel("Alerts", ["ana@example.com"]).say("help", by="ana@example.com")
    mention = next(each for each in app.last["entities"] if each["type"] == "mention")
    assert (app.last["text"], mention["mentioned"]["id"]) == ("<at>Gatebell</at> help", teams.app.bot_id)


async def test_a_click_is_an_invoke_on_the_cards_message(teams: TeamsTenant, app: App, chat: Chat) -> None:
    lay(chat, asked(execute("Approve", id="yes")))
    await chat.click("Approve")
    assert (app.last["type"], app.last["name"], app.last["replyToId"]) == ("invoke", "adaptiveCard/action", "17")
    assert app.last["value"] == {
        "action": {"type": "Action.Execute", "title": "Approve", "verb": "approve", "id": "yes", "data": {"ref": "r1"}},
        "trigger": "manual",
    }


async def test_the_answered_card_takes_the_old_ones_place(chat: Chat) -> None:
    lay(chat, asked(execute("Approve")))
    pressed = await chat.click("Approve")
    assert (pressed.status, pressed.card, chat.shown_text()) == (200, DONE, "Approved by Ana")


async def test_the_answered_card_is_seen_by_its_clicker_alone(teams: TeamsTenant) -> None:
    channel = teams.add_channel("Alerts", ["ana@example.com", "ben@example.com"])
    lay(channel, asked(execute("Approve")))
    await channel.click("Approve", by="ana@example.com")
    assert channel.shown_text("ana@example.com") == "Approved by Ana"
    assert channel.shown_text("ben@example.com") == "May it?\nApprove"


async def test_an_answered_message_is_a_notice(app: App, chat: Chat) -> None:
    lay(chat, asked(execute("Approve")))
    app.answer = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Already decided"}
    assert (await chat.click("Approve")).notice == "Already decided"


@pytest.mark.parametrize(
    "answer, status, error",
    [
        pytest.param(DONE, 200, "Something went wrong. Please try again.", id="card without its wrapper"),
        pytest.param({}, 500, "Unable to reach app. Please try again.", id="500"),
        pytest.param(
            {"statusCode": 400, "type": "application/vnd.microsoft.error", "value": {"code": "x", "message": "No"}},
            200,
            "No",
            id="the app's own error",
        ),
    ],
)
async def test_a_bad_answer_shows_an_error(app: App, chat: Chat, answer: Any, status: int, error: str) -> None:
    lay(chat, asked(execute("Approve")))
    app.answer, app.status = answer, status
    assert (await chat.click("Approve")).error == error


async def test_an_app_that_is_too_slow_is_unreachable(app: App, chat: Chat) -> None:
    lay(chat, asked(execute("Approve")))
    app.delay = 0.8
    assert (await chat.click("Approve")).status is None


async def test_inputs_go_along_with_the_click(app: App, chat: Chat) -> None:
    choices = [{"title": "Staging", "value": "stg"}, {"title": "Production", "value": "prod"}]
    inputs: list[dict[str, Any]] = [
        {"type": "Input.ChoiceSet", "id": "where", "choices": choices},
        {"type": "Input.Text", "id": "note"},
    ]
    lay(chat, asked(execute("Approve"), inputs=inputs))
    await chat.click("Approve", inputs={"where": "Production", "note": "go"})
    assert app.last["value"]["action"]["data"] == {"ref": "r1", "where": "prod", "note": "go"}


async def test_a_required_input_holds_the_click_back(app: App, chat: Chat) -> None:
    reason = {"type": "Input.Text", "id": "reason", "isRequired": True, "errorMessage": "Say why"}
    lay(chat, asked(execute("Deny"), inputs=[reason]))
    pressed = await chat.click("Deny")
    assert (pressed.blocked, app.activities) == ({"reason": "Say why"}, [])


async def test_a_button_without_inputs_is_not_held_back(app: App, chat: Chat) -> None:
    reason = {"type": "Input.Text", "id": "reason", "isRequired": True}
    lay(chat, asked(execute("Approve", associatedInputs="none"), inputs=[reason]))
    await chat.click("Approve")
    assert app.last["value"]["action"]["data"] == {"ref": "r1"}


async def test_an_old_client_sends_the_fallback_as_a_message(app: App, chat: Chat) -> None:
    lay(chat, asked(execute("Approve")))
    await chat.submit_click("Approve")
    assert (app.last["type"], app.last["value"]) == ("message", {"ref": "r1", "choice": "approve"})


async def test_a_link_button_only_opens_its_address(app: App, chat: Chat) -> None:
    lay(chat, asked({"type": "Action.OpenUrl", "title": "Open", "url": "https://gate.example/d/1"}))
    assert (chat.open_url("Open"), app.activities) == ("https://gate.example/d/1", [])


async def test_an_altered_click_can_be_sent(teams: TeamsTenant, app: App, chat: Chat) -> None:
    lay(chat, asked(execute("Approve")))
    forged = chat.invoke("Approve")
    forged["channelData"]["tenant"]["id"] = "another"
    await teams.deliver(forged, token=teams.token(alg="none"))
    assert app.last["channelData"]["tenant"]["id"] == "another"


async def test_a_link_in_escaped_markdown_opens_nothing(chat: Chat) -> None:
    lay(
        chat,
        {
            "type": "AdaptiveCard",
            "version": "1.5",
            "body": [{"type": "TextBlock", "text": r"\[x\](https://evil.example) [y](https://a.example)"}],
        },
    )
    assert chat.last.links() == ["https://a.example"]
    assert chat.shown_text() == "[x](https://evil.example) y"
