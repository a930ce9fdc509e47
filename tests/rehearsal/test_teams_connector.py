from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.rehearsal import failure
from bot.rehearsal.teams import TeamsTenant

CARD = "application/vnd.microsoft.card.adaptive"


def card(*body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "AdaptiveCard", "version": "1.5", "body": list(body), **more}


def words(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True}


def message(content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "message", "attachments": [{"contentType": CARD, "content": content}], **more}


class Bot:
    """Calls the connector as a bot does, with a token from the login."""

    def __init__(self, teams: TeamsTenant, session: ClientSession) -> None:
        self._teams = teams
        self._session = session
        self.token = ""

    async def log_in(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._teams.app_id,
            "client_secret": self._teams.client_secret,
            "scope": "https://api.botframework.com/.default",
        }
        url = f"{self._teams.login_url}/{self._teams.tenant_id}/oauth2/v2.0/token"
        async with self._session.post(url, data=form) as answer:
            self.token = (await answer.json())["access_token"]

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = f"{self._teams.service_url}v3/conversations{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def send(self, conversation: str, activity: dict[str, Any]) -> tuple[int, Any]:
        return await self.call("POST", f"/{conversation}/activities", activity)


@pytest.fixture
async def teams() -> AsyncIterator[TeamsTenant]:
    async with TeamsTenant() as tenant:
        tenant.add_person("Ana Silva", "ana@example.com")
        tenant.add_person("Ben Berg", "ben@example.com")
        tenant.chat("ana@example.com").thread.installed = True
        yield tenant


@pytest.fixture
async def bot(teams: TeamsTenant) -> AsyncIterator[Bot]:
    async with ClientSession() as session:
        bot = Bot(teams, session)
        await bot.log_in()
        yield bot


@pytest.fixture
def ana(teams: TeamsTenant) -> str:
    return teams.chat("ana@example.com").id


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]


async def test_a_card_lies_in_the_chat(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    status, body = await bot.send(ana, message(card(words("Disk full"))))
    assert (status, teams.chat("ana@example.com").activities[0]["id"]) == (201, body["id"])
    assert teams.chat("ana@example.com").shown_text() == "Disk full"


async def test_an_update_takes_the_place_of_the_card(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    _, body = await bot.send(ana, message(card(words("Asked"))))
    await bot.call("PUT", f"/{ana}/activities/{body['id']}", message(card(words("Approved by Ana"))))
    assert teams.chat("ana@example.com").shown_text() == "Approved by Ana"


async def test_a_deleted_activity_is_gone(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    _, body = await bot.send(ana, message(card(words("Asked"))))
    await bot.call("DELETE", f"/{ana}/activities/{body['id']}")
    assert teams.chat("ana@example.com").activities == []


async def test_an_unknown_activity_cannot_be_updated(bot: Bot, ana: str) -> None:
    answer = await bot.call("PUT", f"/{ana}/activities/404", message(card(words("x"))))
    assert code(answer) == (404, "ActivityNotFoundInConversation")


async def test_an_unknown_conversation_is_not_found(bot: Bot) -> None:
    assert code(await bot.send("a:404", message(card(words("x"))))) == (404, "ConversationNotFound")


async def test_a_chat_without_the_app_refuses_the_bot(teams: TeamsTenant, bot: Bot) -> None:
    answer = await bot.send(teams.chat("ben@example.com").id, message(card(words("x"))))
    assert code(answer) == (403, "BotNotInConversationRoster")


async def test_a_person_who_blocks_the_bot_gets_nothing(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    teams.chat("ana@example.com").block()
    assert code(await bot.send(ana, message(card(words("x"))))) == (403, "ConversationBlockedByUser")


@pytest.mark.parametrize("spoiled", ["", "wrong"])
async def test_a_call_without_the_right_token_is_denied(bot: Bot, ana: str, spoiled: str) -> None:
    bot.token = spoiled
    status, body = await bot.send(ana, message(card(words("x"))))
    assert (status, body) == (401, {"message": "Authorization has been denied for this request."})


async def test_an_expired_token_is_denied() -> None:
    now = [1_800_000_000.0]
    async with TeamsTenant(clock=lambda: now[0]) as teams, ClientSession() as session:
        teams.add_person("Ana Silva", "ana@example.com")
        bot = Bot(teams, session)
        await bot.log_in()
        now[0] += 3600
        assert (await bot.send(teams.chat("ana@example.com").id, message(card(words("x")))))[0] == 401


async def test_more_than_100_kilobytes_are_too_big(bot: Bot, ana: str) -> None:
    assert code(await bot.send(ana, message(card(words("x" * 52_000))))) == (413, "MessageSizeTooBig")


async def test_text_with_an_attachment_comes_without_an_id(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    answer = await bot.send(ana, message(card(words("x")), text="Alert"))
    assert (answer, len(teams.chat("ana@example.com").activities)) == ((201, {}), 2)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(card(version="1.6"), id="version 1.6"),
        pytest.param({"type": "AdaptiveCard", "body": []}, id="no version"),
        pytest.param(card({"type": "Carousel"}), id="unknown element"),
        pytest.param(card(actions=[{"type": "Action.Fly"}]), id="unknown action"),
        pytest.param(card(actions=[{"type": "Action.Submit", "title": "x"}] * 7), id="seven actions"),
        pytest.param(card({"type": "Input.Text", "id": "a"}, {"type": "Input.Date", "id": "a"}), id="one id twice"),
        pytest.param(card({"type": "Input.Text"}), id="input without id"),
        pytest.param(card({"type": "FactSet", "facts": [{"title": "a", "value": 1}]}), id="a number in a fact"),
    ],
)
async def test_a_wrong_card_is_bad_syntax(bot: Bot, ana: str, content: dict[str, Any]) -> None:
    assert code(await bot.send(ana, message(content))) == (400, "BadSyntax")


async def test_the_eighth_message_within_a_second_is_too_fast(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    answers = [await bot.send(ana, message(card(words("x")))) for _ in range(8)]
    assert [status for status, _ in answers] == [201] * 7 + [429]
    assert teams.journal[-1].status == 429


async def test_pacing_can_be_switched_off() -> None:
    async with TeamsTenant(limits=False) as teams, ClientSession() as session:
        teams.add_person("Ana Silva", "ana@example.com")
        chat = teams.chat("ana@example.com")
        chat.thread.installed = True
        bot = Bot(teams, session)
        await bot.log_in()
        assert {(await bot.send(chat.id, message(card(words("x")))))[0] for _ in range(20)} == {201}


async def test_typing_is_seen_and_leaves_nothing(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    status, _ = await bot.send(ana, {"type": "typing"})
    chat = teams.chat("ana@example.com")
    assert (status, chat.is_typing, chat.activities) == (202, True, [])


async def test_a_personal_conversation_is_opened_by_the_persons_id(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    wanted = {
        "bot": {"id": teams.app.bot_id},
        "members": [{"id": teams.state.person("ana@example.com").id}],
        "channelData": {"tenant": {"id": teams.tenant_id}},
        "isGroup": False,
    }
    status, body = await bot.call("POST", "", wanted)
    assert (status, body["id"]) == (201, ana)


async def test_a_member_of_a_team_with_the_app_can_be_reached(teams: TeamsTenant, bot: Bot) -> None:
    teams.add_channel("General", ["ben@example.com"]).thread.installed = True
    wanted = {"members": [{"id": teams.state.person("ben@example.com").id}], "tenantId": teams.tenant_id}
    assert (await bot.call("POST", "", wanted))[0] == 201


async def test_a_channel_post_opens_a_thread(teams: TeamsTenant, bot: Bot) -> None:
    channel = teams.add_channel("General", ["ana@example.com"])
    channel.thread.installed = True
    wanted = {"isGroup": True, "channelData": {"channel": {"id": channel.id}}, "activity": message(card(words("x")))}
    _, body = await bot.call("POST", "", wanted)
    assert body["id"] == f"{channel.id};messageid={body['activityId']}"
    status, _ = await bot.send(body["id"], message(card(words("More"))))
    assert (status, channel.activities[1]["replyToId"]) == (201, body["activityId"])


async def test_members_come_with_their_mail_addresses(teams: TeamsTenant, bot: Bot) -> None:
    channel = teams.add_channel("General", ["ana@example.com", "ben@example.com"])
    channel.thread.installed = True
    _, body = await bot.call("GET", f"/{channel.id}/pagedmembers?pageSize=1")
    _, rest = await bot.call("GET", f"/{channel.id}/pagedmembers?continuationToken={body['continuationToken']}")
    assert [each["email"] for each in body["members"] + rest["members"]] == ["ana@example.com", "ben@example.com"]


async def test_a_channel_knows_who_was_there_and_its_team_knows_everybody(teams: TeamsTenant, bot: Bot) -> None:
    teams.add_channel("General", ["ana@example.com", "ben@example.com"])
    channel = teams.add_channel("alerts", ["ana@example.com"])
    channel.thread.installed = True
    rosters = [await bot.call("GET", f"/{each}/pagedmembers") for each in (channel.id, channel.thread.team_id)]
    assert [len(body["members"]) for _, body in rosters] == [1, 2]


async def test_a_deleted_channel_is_not_found(teams: TeamsTenant, bot: Bot) -> None:
    channel = teams.add_channel("alerts", ["ana@example.com"])
    channel.thread.installed = channel.thread.deleted = True
    assert (await bot.send(channel.id, message(card(words("Hi")))))[0] == 404


async def test_one_member_is_found_by_entra_id(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    entra = teams.state.person("ana@example.com").aad_object_id
    assert (await bot.call("GET", f"/{ana}/members/{entra}"))[1]["userPrincipalName"] == "ana@example.com"


async def test_a_told_failure_meets_only_its_reader(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    teams.chat("ben@example.com").thread.installed = True
    teams.fail(failure.status(502), part="connector", to="ana@example.com")
    statuses = [(await bot.send(each, {"type": "typing"}))[0] for each in (ana, teams.chat("ben@example.com").id)]
    assert statuses == [502, 202]


async def test_microsofts_own_connector_client_can_send(teams: TeamsTenant, bot: Bot, ana: str) -> None:
    from botbuilder.schema import Activity
    from botframework.connector.aio import ConnectorClient
    from msrest.authentication import BasicTokenAuthentication

    credentials = BasicTokenAuthentication({"access_token": bot.token})
    client = ConnectorClient(credentials, base_url=teams.service_url)
    sent = await client.conversations.send_to_conversation(ana, Activity(type="message", text="Hello"))
    assert teams.chat("ana@example.com").activities[0]["id"] == sent.id
