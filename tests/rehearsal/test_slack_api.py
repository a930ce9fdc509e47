from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal import failure
from bot.rehearsal.slack import SlackWorkspace
from tests.rehearsal.listening import actions, button, menu, section, text


@pytest.fixture
async def slack() -> AsyncIterator[SlackWorkspace]:
    async with SlackWorkspace() as workspace:
        workspace.add_person("Ana Silva", "ana@example.com")
        workspace.add_person("Ben Berg", "ben@example.com")
        workspace.add_channel("#ops", ["ana@example.com", "ben@example.com"])
        yield workspace


@pytest.fixture
def client(slack: SlackWorkspace) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def ana(slack: SlackWorkspace) -> str:
    return slack.state.person("ana@example.com").id


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_the_sdk_learns_who_the_bot_is(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    assert (await client.auth_test())["team_id"] == slack.team_id


async def test_the_scopes_come_as_a_header(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    assert (await client.auth_test()).headers["x-oauth-scopes"] == ",".join(slack.app.scopes)


async def test_a_person_is_found_by_mail_address(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    assert (await client.users_lookupByEmail(email="ANA@example.com"))["user"]["id"] == ana(slack)


async def test_a_message_to_a_person_lies_in_the_direct_message(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=ana(slack), text="Hello &lt;Ana&gt;")
    assert slack.dm("ana@example.com").last.shown_text() == "Hello <Ana>"


async def test_whoever_was_deactivated_is_found_by_no_address_but_takes_messages(
    slack: SlackWorkspace, client: AsyncWebClient
) -> None:
    slack.deactivate("ana@example.com")
    assert await refusal(client.users_lookupByEmail(email="ana@example.com")) == "users_not_found"
    assert (await client.users_info(user=ana(slack)))["user"]["deleted"]
    await client.chat_postMessage(channel=ana(slack), text="Hello")
    assert slack.dm("ana@example.com").last.text == "Hello"


async def test_a_channel_is_reached_by_its_name(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="#ops", text="Hello")
    assert slack.room("#ops").last.text == "Hello"


async def test_an_update_takes_the_place_of_the_message(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    first = await client.chat_postMessage(channel="#ops", text="Asked", blocks=[actions(button("Approve"))])
    await client.chat_update(channel=first["channel"], ts=first["ts"], text="Approved by Ana", blocks=[])
    assert [each.shown_text() for each in slack.room("#ops").messages] == ["Approved by Ana"]


async def test_a_message_is_changed_where_it_lies_not_under_its_readers_id(
    slack: SlackWorkspace, client: AsyncWebClient
) -> None:
    first = await client.chat_postMessage(channel=ana(slack), text="Asked")
    assert await refusal(client.chat_update(channel=ana(slack), ts=first["ts"], text="Ended")) == "channel_not_found"
    assert await refusal(client.chat_delete(channel=ana(slack), ts=first["ts"])) == "channel_not_found"


async def test_a_look_up_finds_no_arguments_in_json(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    given = {"email": "ana@example.com"}
    assert await refusal(client.api_call("users.lookupByEmail", json=given)) == "users_not_found"
    assert (await client.api_call("users.lookupByEmail", data=given))["ok"]


async def test_a_bot_says_of_which_app_it_is(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    bot = (await client.auth_test())["bot_id"]
    assert (await client.bots_info(bot=bot))["bot"]["app_id"] == slack.app_id
    assert await refusal(client.bots_info(bot="B404")) == "bot_not_found"


async def test_a_fault_in_an_attachment_is_called_one_of_the_attachment(
    slack: SlackWorkspace, client: AsyncWebClient
) -> None:
    blocks = [section("x" * 3001)]
    assert await refusal(client.chat_postMessage(channel="#ops", text="a", blocks=blocks)) == "invalid_blocks"
    call = client.chat_postMessage(channel="#ops", text="a", attachments=[{"blocks": blocks}])
    assert await refusal(call) == "invalid_attachments"


async def test_a_deleted_message_is_gone(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    first = await client.chat_postMessage(channel="#ops", text="Asked")
    await client.chat_delete(channel=first["channel"], ts=first["ts"])
    assert slack.room("#ops").messages == []


async def test_an_ephemeral_message_is_seen_by_one_person(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel="#ops", user=ana(slack), text="Not yours")
    shown = [len(slack.room("#ops").private(who)) for who in ("ana@example.com", "ben@example.com")]
    assert shown == [1, 0]


async def test_the_status_stands_under_the_message_box(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    first = await client.chat_postMessage(channel=ana(slack), text="Hi")
    await client.assistant_threads_setStatus(channel_id=first["channel"], thread_ts=first["ts"], status="is thinking…")
    assert slack.dm("ana@example.com").status == "is thinking…"


@pytest.mark.parametrize(
    "token, code", [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(slack: SlackWorkspace, token: str, code: str) -> None:
    given = slack.app_token if token == "app" else token
    assert await refusal(AsyncWebClient(token=given, base_url=slack.api_url).auth_test()) == code


async def test_a_missing_scope_is_named() -> None:
    async with SlackWorkspace(scopes=["chat:write"]) as slack:
        with pytest.raises(SlackApiError) as refused:
            await AsyncWebClient(token=slack.bot_token, base_url=slack.api_url).users_lookupByEmail(email="a@b.c")
    answer = refused.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "users:read.email",
        "chat:write",
    )


@pytest.mark.parametrize(
    "method, arguments, code",
    [
        ("chat.postMessage", {"channel": "C404", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#ops"}, "no_text"),
        ("chat.update", {"channel": "#ops", "ts": "1.2", "text": "x"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "#ops", "user": "U404", "text": "x"}, "user_not_in_channel"),
        ("users.lookupByEmail", {"email": "cleo@example.com"}, "users_not_found"),
        ("users.info", {"user": "U404"}, "user_not_found"),
        ("conversations.open", {"users": "U404"}, "missing_scope"),
        ("views.open", {"trigger_id": "nope", "view": {}}, "invalid_trigger_id"),
        ("nobody.knows", {}, "unknown_method"),
    ],
)
async def test_slack_refuses_with_its_code(
    client: AsyncWebClient, method: str, arguments: dict[str, Any], code: str
) -> None:
    assert await refusal(client.api_call(method, json=arguments)) == code


async def test_a_persons_message_cannot_be_updated_by_the_bot(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    room = slack.room("#ops")
    await room.say("hello", by="ana@example.com")
    call = client.chat_update(channel=room.id, ts=room.messages[-1].ts, text="x")
    assert await refusal(call) == "cant_update_message"


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([section("x" * 3001)], id="section over 3000"),
        pytest.param([section("")], id="empty text"),
        pytest.param([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}], id="field over 2000"),
        pytest.param([{"type": "header", "text": text("x" * 151)}], id="header over 150"),
        pytest.param([{"type": "divider"}] * 51, id="51 blocks"),
        pytest.param([actions(button("x" * 76))], id="button over 75"),
        pytest.param([actions(button("Go", value="x" * 2001))], id="value over 2000"),
        pytest.param([actions(button("Go", style="green"))], id="unknown style"),
        pytest.param([actions(button("Go"), button("Go"))], id="same action id twice"),
        pytest.param([actions(button("Go")), actions(button("No"))], id="same block id twice"),
        pytest.param([actions(menu("x" * 76))], id="option text over 75"),
        pytest.param([actions(menu(*[f"n{each}" for each in range(101)]))], id="101 options"),
        pytest.param([{"type": "poem", "text": text("x")}], id="unknown block"),
        pytest.param([{"type": "actions", "elements": []}], id="no elements"),
    ],
)
async def test_blocks_over_a_limit_are_refused(client: AsyncWebClient, blocks: list[dict[str, Any]]) -> None:
    assert await refusal(client.chat_postMessage(channel="#ops", text="x", blocks=blocks)) == "invalid_blocks"


async def test_an_option_value_over_150_is_refused(client: AsyncWebClient) -> None:
    pick = menu("A")
    pick["options"][0]["value"] = "x" * 151
    assert await refusal(client.chat_postMessage(channel="#ops", text="x", blocks=[actions(pick)])) == "invalid_blocks"


async def test_blocks_too_long_in_sum_are_refused(client: AsyncWebClient) -> None:
    blocks = [section("x" * 2900) for _ in range(5)]
    assert await refusal(client.chat_postMessage(channel="#ops", text="x", blocks=blocks)) == "msg_blocks_too_long"


async def test_a_text_above_40_000_characters_is_cut(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="#ops", text="x" * 40_001)
    assert len(slack.room("#ops").last.text) == 40_000


async def test_the_sixth_message_at_once_to_one_channel_is_too_fast(client: AsyncWebClient) -> None:
    for _ in range(5):
        await client.chat_postMessage(channel="#ops", text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="#ops", text="x")
    answer = refused.value.response
    assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "1")


async def test_another_channel_is_not_slowed_down(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    for _ in range(5):
        await client.chat_postMessage(channel="#ops", text="x")
    assert (await client.chat_postMessage(channel=ana(slack), text="x"))["ok"]


async def test_mentions_that_would_ring_are_found(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="#ops", text="x", blocks=[section("<!channel> and &lt;!here&gt;")])
    assert slack.room("#ops").last.mentions == ["<!channel>"]


async def test_every_address_that_opens_is_among_the_links(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    blocks = [section("<https://a.example|here>"), actions(button("Open", url="https://b.example"), button("Go"))]
    await client.chat_postMessage(channel="#ops", text="x", blocks=blocks)
    last = slack.room("#ops").last
    assert (sorted(last.links), last.labels) == (["https://a.example", "https://b.example"], ["Go"])


async def test_words_in_attachments_are_shown_with_their_colour(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    attachment = {"color": "#FF0000", "blocks": [section("Disk *full*"), actions(button("Acknowledge"))]}
    await client.chat_postMessage(channel="#ops", text="Alert", attachments=[attachment])
    last = slack.room("#ops").last
    assert (last.shown_text(), last.color, last.labels) == (
        "Alert\nDisk *full*\nAcknowledge",
        "#FF0000",
        ["Acknowledge"],
    )


async def test_a_told_failure_meets_only_its_reader(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    slack.fail(failure.error("channel_not_found"), path="chat.postMessage", to="ana@example.com")
    assert await refusal(client.chat_postMessage(channel=ana(slack), text="x")) == "channel_not_found"
    assert (await client.chat_postMessage(channel="#ops", text="x"))["ok"]


async def test_a_failure_ends_after_its_count(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    slack.fail(failure.http(500), times=1)
    with pytest.raises(SlackApiError):
        await client.auth_test()
    assert (await client.auth_test())["ok"]


async def test_a_late_failure_leaves_the_message(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    slack.fail(failure.http(500, late=True), path="chat.postMessage")
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="#ops", text="x")
    assert len(slack.room("#ops").messages) == 1


async def test_retry_after_is_told(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    slack.fail(failure.status(429, retry_after=30))
    with pytest.raises(SlackApiError) as refused:
        await client.auth_test()
    assert refused.value.response.headers["Retry-After"] == "30"


async def test_a_hanging_platform_answers_again_when_healed(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    slack.fail(failure.hang())
    client.timeout = 1
    with pytest.raises(TimeoutError):
        await client.auth_test()
    slack.heal()
    assert (await client.auth_test())["ok"]


async def test_the_journal_keeps_no_token(slack: SlackWorkspace, client: AsyncWebClient) -> None:
    await client.auth_test()
    await AsyncWebClient(base_url=slack.api_url).api_call("auth.test", data={"token": slack.bot_token})
    assert slack.bot_token not in repr(slack.journal)
