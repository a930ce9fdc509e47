"""Cards as messages: to whom, into which thread, how they are brought up to date."""

import json
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from bot.channels.contract import OF_THREAD, DeliveryError, Reader, ReaderKind, Reason, Rights
from bot.channels.slack_people import ACTIVE_SECONDS
from bot.rehearsal.failure import Failure, error, hang, http
from bot.rehearsal.slack import SlackWorkspace
from interactions.card import Card, Severity
from tests.channels.slack.world import ENDED, QUESTION, World, operator, post, world_of

HOSTILE = (
    "<!channel> <!here|x> <@U0BEN> <!subteam^S1> [bank](https://evil.example) [x](javascript:alert(1)) "
    "``` *bold* _it_ ~no~ <https://evil.example|https://good.example> \u202eevil\u202c \x00 <script>alert(1)</script>"
)


async def test_a_card_arrives_as_a_direct_message_found_by_the_address(world: World) -> None:
    receipt = await world.ask()
    message = world.slack.dm("ana@example.com").last
    assert (receipt.channel, receipt.message) == ("slack", message.ts)
    assert receipt.place == world.slack.dm("ana@example.com").id
    assert QUESTION.title in message.shown_text()
    assert message.labels == ["Approve", "Keep blocked"]


@pytest.mark.parametrize(
    "severity, color",
    [("critical", "#FF0000"), ("high", "#FF8C00"), ("medium", "#FFD700"), ("low", "#32CD32"), ("info", "#87CEEB")],
)
async def test_the_colour_is_that_of_the_severity(world: World, severity: str, color: str) -> None:
    await world.ask(replace(QUESTION, severity=Severity(severity)))
    assert world.slack.dm("ana@example.com").last.color == color


async def test_three_scopes_are_enough_to_send(session: ClientSession) -> None:
    async with SlackWorkspace(scopes=("chat:write", "users:read", "users:read.email")) as workspace:
        workspace.add_person("Ana Lima", "ana@example.com")
        async with world_of(workspace, session) as world:
            await world.ask()
            assert QUESTION.title in workspace.dm("ana@example.com").last.shown_text()


@pytest.mark.parametrize("more", [{"deleted": True}, {"is_bot": True}], ids=str)
async def test_whoever_is_no_active_member_is_not_written_to(world: World, more: dict[str, bool]) -> None:
    user = {"ok": True, "user": {"id": "U0ANA", **more}}
    world.slack.fail(http(200, json.dumps(user)), path="users.lookupByEmail")
    with pytest.raises(DeliveryError) as refused:
        await world.ask()
    assert (refused.value.reason, world.called("chat.postMessage")) == (Reason.NO_ADDRESS, [])


async def test_an_address_is_looked_up_once(world: World) -> None:
    await world.ask()
    await world.ask()
    assert len(world.called("users.lookupByEmail")) == 1


async def test_an_address_stays_known_across_restarts(world: World) -> None:
    await world.ask()
    await (
        type(world.channel)
        .make(world.channel.settings, world.channel.edge)
        .send(operator("ana@example.com"), post(QUESTION))
    )
    assert len(world.called("users.lookupByEmail")) == 1


async def test_a_link_that_signs_in_goes_to_whoever_has_the_address_now(world: World) -> None:
    await world.ask()
    people = world.slack.state.people
    people["U0ANA"] = replace(people["U0ANA"], email="ana.before@example.com")
    people["U0BEN"] = replace(people["U0BEN"], email="ana@example.com")
    link = "https://gate.example/login/abc"
    await world.channel.send(operator("ana@example.com"), replace(post(QUESTION), rights=Rights(link=link)))
    assert (world.slack.dm("U0BEN").last.links, link in world.slack.dm("U0ANA").last.links) == ([link], False)


async def test_a_look_up_is_a_form_because_slack_reads_no_json_there(world: World) -> None:
    await world.ask()
    [call] = world.called("users.lookupByEmail")
    assert call.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


async def test_an_address_that_no_longer_takes_messages_is_looked_up_again(world: World) -> None:
    await world.ask()
    rule = world.slack.fail(error("user_disabled"), path="chat.postMessage")
    with pytest.raises(DeliveryError):
        await world.ask()
    world.slack.heal(rule)
    await world.ask()
    assert len(world.called("users.lookupByEmail")) == 2


@pytest.mark.parametrize("identity", ["U0BEN", "T0REHEARSE:U0BEN"])
async def test_a_known_identity_wins_over_the_address(world: World, identity: str) -> None:
    await world.channel.send(operator("ana@example.com", slack=identity), post(QUESTION))
    assert QUESTION.title in world.slack.dm("ben@example.com").last.shown_text()
    assert world.called("users.lookupByEmail") == []


@pytest.mark.parametrize("identities", [{}, {"slack": "T0REHEARSE:U0ANA"}], ids=str)
async def test_whoever_was_deactivated_since_gets_it_elsewhere_although_slack_takes_it(
    world: World, identities: dict[str, str]
) -> None:
    ana = operator("ana@example.com", **identities)
    await world.channel.send(ana, post(QUESTION))
    world.slack.deactivate("ana@example.com")
    world.clock.forward(ACTIVE_SECONDS)
    with pytest.raises(DeliveryError) as refused:
        await world.channel.send(ana, post(QUESTION))
    assert refused.value.reason is Reason.REFUSED
    assert "deactivated" in refused.value.detail


async def test_whether_somebody_is_still_there_is_asked_seldom(world: World) -> None:
    for _ in range(3):
        await world.channel.send(operator("ana@example.com", slack="T0REHEARSE:U0ANA"), post(QUESTION))
    assert len(world.called("users.info")) == 1


@pytest.mark.parametrize(
    "failure", [error("missing_scope"), error("ratelimited"), hang()], ids=["scope", "pace", "hang"]
)
async def test_a_message_counts_although_slack_does_not_say_whether_its_reader_is_there(
    world: World, failure: Failure
) -> None:
    world.slack.fail(failure, path="users.info")
    receipt = await world.channel.send(operator("ana@example.com", slack="T0REHEARSE:U0ANA"), post(QUESTION))
    assert receipt.message == world.slack.dm("ana@example.com").last.ts


async def test_somebody_without_an_address_cannot_be_reached(world: World) -> None:
    with pytest.raises(DeliveryError) as refused:
        await world.channel.send(Reader(ReaderKind.OPERATOR, "op1", name="Ana"), post(QUESTION))
    assert refused.value.reason is Reason.NO_ADDRESS


async def test_a_room_is_reached_by_its_place(world: World) -> None:
    room = world.slack.add_channel("ops", ["ana@example.com"])
    receipt = await world.say_in("ops")
    assert receipt.place == room.id
    assert QUESTION.title in room.last.shown_text()


async def test_a_room_without_a_place_is_the_configured_one(workspace: SlackWorkspace, session: ClientSession) -> None:
    room = workspace.add_channel("alerts")
    async with world_of(workspace, session, SLACK_CHANNEL="#alerts") as world:
        await world.channel.send(Reader(ReaderKind.ROOM, "alerts"), post(QUESTION))
    assert QUESTION.title in room.last.shown_text()


async def test_a_room_that_nobody_configured_is_not_set_up(world: World) -> None:
    with pytest.raises(DeliveryError) as refused:
        await world.channel.send(Reader(ReaderKind.ROOM, "alerts"), post(QUESTION))
    assert refused.value.reason is Reason.NOT_SET_UP


async def test_without_a_token_nothing_is_sent(workspace: SlackWorkspace, session: ClientSession) -> None:
    async with world_of(workspace, session, SLACK_BOT_TOKEN="") as world:
        assert world.channel.missing() == ("SLACK_BOT_TOKEN",)
        with pytest.raises(DeliveryError) as refused:
            await world.ask()
    assert refused.value.reason is Reason.NOT_SET_UP
    assert workspace.journal == []


async def test_posts_of_one_thread_stand_in_one_thread(world: World) -> None:
    first = await world.ask(thread="job 7")
    await world.ask(thread="job 7")
    await world.ask(thread="job 8")
    messages = world.slack.dm("ana@example.com").messages
    assert [each.thread_ts for each in messages] == [None, first.message, None]


async def test_what_is_remembered_of_a_thread_goes_with_it(world: World) -> None:
    await world.ask(thread="job 7")
    [key] = [key for key, value in world.shelf.kept.items() if key.endswith(":job 7") and value]
    assert f":{OF_THREAD}" in key


async def test_a_thread_that_was_deleted_begins_again(world: World) -> None:
    await world.ask(thread="job 7")
    world.slack.dm("ana@example.com").messages.clear()
    again = await world.ask(thread="job 7")
    await world.ask(thread="job 7")
    assert [each.thread_ts for each in world.slack.dm("ana@example.com").messages] == [None, again.message]


@pytest.mark.parametrize("code", ["thread_not_found", "message_not_found", "cannot_reply_to_message"])
async def test_a_thread_that_takes_no_replies_begins_again(world: World, code: str) -> None:
    await world.ask(thread="job 7")
    world.slack.fail(error(code), path="chat.postMessage", times=1)
    again = await world.ask(thread="job 7")
    await world.ask(thread="job 7")
    assert [each.thread_ts for each in world.slack.dm("ana@example.com").messages] == [None, None, again.message]


async def test_a_question_in_a_thread_is_shown_outside_of_it_too(world: World) -> None:
    await world.ask(thread="job 7")
    await world.ask(thread="job 7")
    assert world.called("chat.postMessage")[-1].body["reply_broadcast"] is True


async def test_no_link_is_unfolded(world: World) -> None:
    await world.ask(replace(QUESTION, text="see https://example.com"))
    [call] = world.called("chat.postMessage")
    assert (call.body["unfurl_links"], call.body["unfurl_media"]) == (False, False)


async def test_an_update_replaces_the_message_in_place(world: World) -> None:
    receipt = await world.ask()
    again = await world.channel.update(operator("ana@example.com"), receipt, post(ENDED, version=1))
    message = world.slack.dm("ana@example.com").last
    assert again == receipt
    assert "Approved by Ana" in message.shown_text()
    assert (message.labels, len(message.attachments), message.color) == ([], 1, "#FF8C00")
    assert len(world.slack.dm("ana@example.com").messages) == 1


async def test_a_message_that_was_deleted_is_gone(world: World) -> None:
    receipt = await world.ask()
    world.slack.dm("ana@example.com").messages.clear()
    with pytest.raises(DeliveryError) as refused:
        await world.channel.update(operator("ana@example.com"), receipt, post(ENDED, version=1))
    assert refused.value.reason is Reason.GONE


async def test_what_slack_finds_too_large_goes_out_as_a_note_with_a_link(world: World) -> None:
    world.slack.fail(error("msg_blocks_too_long"), path="chat.postMessage", times=1)
    await world.channel.send(operator("ana@example.com"), post(QUESTION, page="https://gate.example/d/abc"))
    message = world.slack.dm("ana@example.com").last
    assert "too large for Slack" in message.shown_text()
    assert (message.links, message.labels) == (["https://gate.example/d/abc"], [])


@pytest.mark.parametrize("code", ["invalid_attachments", "invalid_blocks"])
async def test_what_slack_does_not_take_as_it_is_goes_out_as_a_note_too(world: World, code: str) -> None:
    world.slack.fail(error(code), path="chat.postMessage", times=1)
    await world.channel.send(operator("ana@example.com"), post(QUESTION, page="https://gate.example/d/abc"))
    message = world.slack.dm("ana@example.com").last
    assert ("does not take" in message.shown_text(), "too large" in message.shown_text()) == (True, False)
    assert (message.links, message.labels) == (["https://gate.example/d/abc"], [])


async def test_what_stays_too_large_is_refused(world: World) -> None:
    world.slack.fail(error("msg_too_long"), path="chat.postMessage")
    with pytest.raises(DeliveryError) as refused:
        await world.ask()
    assert refused.value.reason is Reason.TOO_LARGE
    assert len(world.called("chat.postMessage")) == 2


async def test_an_update_that_is_too_large_becomes_a_note(world: World) -> None:
    receipt = await world.ask()
    world.slack.fail(error("msg_too_long"), path="chat.update", times=1)
    await world.channel.update(operator("ana@example.com"), receipt, post(ENDED, page="https://gate.example/d/abc"))
    shown = world.slack.dm("ana@example.com").last.shown_text()
    assert "too large for Slack" in shown
    assert "Approved by Ana" in shown


async def test_hostile_words_do_nothing(world: World) -> None:
    await world.ask(Card(title=HOSTILE, text=HOSTILE, facts=((HOSTILE[:60], HOSTILE),), requester=HOSTILE))
    message = world.slack.dm("ana@example.com").last
    assert message.mentions == []
    assert {"javascript:alert(1)"} & set(message.links) == set()
    assert "\u202e" not in message.shown_text()
    assert "\x00" not in message.shown_text()


async def test_the_app_is_learned_from_the_first_message(world: World) -> None:
    await world.ask()
    assert world.channel.people.app == world.slack.app_id
