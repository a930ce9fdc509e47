"""Cards on their way out: to whom, how they look to the connector, and what each refusal becomes."""

from dataclasses import replace

import pytest
from aiohttp import ClientSession

from bot.channels.contract import OF_THREAD, DeliveryError, Reader, ReaderKind, Reason, Receipt
from bot.channels.teams_connector import Connector
from bot.rehearsal.failure import Failure, garbage, hang, http, redirect, reset, status
from bot.rehearsal.teams import TeamsTenant
from interactions.card import Format, Payload, Severity
from tests.channels.teams.world import ENDED, PAGE, QUESTION, World, operator, post, world_of


async def test_an_operator_gets_the_card_in_their_own_chat(world: World) -> None:
    await world.install()
    await world.ask()
    assert world.teams.chat("ana@example.com").labels == ["Approve", "Keep blocked"]


async def test_an_operator_is_found_by_the_object_id_too(world: World) -> None:
    await world.install("ben@example.com")
    ben = world.teams.state.person("ben@example.com")
    await world.channel.send(operator("ben@other.example", teams=ben.aad_object_id), post(QUESTION))
    assert world.teams.chat("ben@example.com").cards


async def test_a_card_travels_alone_with_a_summary(world: World) -> None:
    await world.install()
    await world.ask()
    activity = world.teams.chat("ana@example.com").activities[0]
    assert ("text" in activity, len(activity["attachments"]), bool(activity["summary"])) == (False, 1, True)


async def test_a_personal_card_rings(world: World) -> None:
    await world.install()
    await world.ask()
    activity = world.teams.chat("ana@example.com").activities[0]
    assert activity["channelData"] == {"notification": {"alert": True}}


async def test_a_room_is_not_rung(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    assert "channelData" not in world.teams.channel("alerts").activities[0]


async def test_a_critical_card_is_marked_important(world: World) -> None:
    await world.install()
    await world.ask(card=replace(QUESTION, severity=Severity.CRITICAL))
    assert world.teams.chat("ana@example.com").activities[0]["importance"] == "high"


async def test_the_room_that_was_captured_gets_posts_for_the_room(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    assert world.teams.channel("alerts").cards


async def test_a_room_can_be_named(world: World) -> None:
    await world.install_in_channel("alerts")
    other = await world.install_in_channel("quiet")
    await world.tell_room(place=other)
    assert world.teams.channel("quiet").cards


async def test_a_person_of_a_team_is_written_to_although_they_never_added_the_app(world: World) -> None:
    await world.install_in_channel()
    await world.ask("ben@example.com")
    assert world.teams.chat("ben@example.com").cards


async def test_a_chat_is_begun_once(world: World) -> None:
    await world.install_in_channel()
    await world.ask("ben@example.com")
    await world.ask("ben@example.com")
    begun = [each for each in world.teams.journal if each.path.endswith("/v3/conversations")]
    assert len(begun) == 1


async def test_who_is_in_no_team_is_told_in_the_room(world: World) -> None:
    await world.install_in_channel()
    await world.ask("cleo@example.com")
    assert world.teams.channel("alerts").cards


async def test_nobody_is_told_in_somebody_elses_chat(world: World) -> None:
    await world.install("ana@example.com")
    assert (await world.refusal("ben@example.com")).reason is Reason.NO_ADDRESS


async def test_nobody_is_told_in_a_chat_whose_owner_teams_does_not_name(world: World) -> None:
    world.teams.fail(status(503), path="members")
    await world.install("ana@example.com")
    assert (await world.refusal("ben@example.com")).reason is Reason.NO_ADDRESS


async def test_nobody_is_told_in_a_personal_chat_that_was_typed_as_the_room(
    tenant: TeamsTenant, session: ClientSession
) -> None:
    typed = {"TEAMS_CONVERSATION_ID": "a:1somebodys", "TEAMS_SERVICE_URL": tenant.service_url}
    async with world_of(tenant, session, **typed) as world:
        assert (await world.refusal()).reason is Reason.NO_ADDRESS


async def test_the_owner_of_a_chat_is_found_as_soon_as_teams_names_them(world: World) -> None:
    world.teams.fail(status(503), path="members", times=2)
    await world.install("ana@example.com")
    await world.ask("ana@example.com")
    assert world.teams.chat("ana@example.com").cards


async def test_before_any_installation_there_is_no_address(world: World) -> None:
    assert (await world.refusal()).reason is Reason.NO_ADDRESS


async def test_a_caller_is_not_in_teams(world: World) -> None:
    with pytest.raises(DeliveryError) as raised:
        await world.channel.send(Reader(ReaderKind.CALLER, "caller"), post(QUESTION))
    assert raised.value.reason is Reason.NO_ADDRESS


async def test_posts_of_one_thread_hang_together_in_a_channel(world: World) -> None:
    await world.install_in_channel()
    first = await world.tell_room(thread="alert-7")
    await world.tell_room(thread="alert-7")
    assert world.teams.channel("alerts").activities[1]["replyToId"] == first.message


async def test_what_is_remembered_of_a_thread_goes_with_it(world: World) -> None:
    await world.install_in_channel()
    receipt = await world.tell_room(thread="alert-7")
    assert f"{OF_THREAD}{receipt.place}:alert-7" in world.shelf.kept


async def test_posts_of_different_threads_do_not(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room(thread="alert-7")
    await world.tell_room(thread="alert-8")
    assert "replyToId" not in world.teams.channel("alerts").activities[1]


async def test_a_thread_whose_beginning_is_gone_begins_anew(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room(thread="alert-7")
    world.teams.fail(status(404), path="messageid", times=1)
    await world.tell_room(thread="alert-7")
    assert "replyToId" not in world.teams.channel("alerts").activities[1]


async def test_a_card_is_updated_in_place(world: World) -> None:
    await world.install()
    receipt = await world.ask()
    await world.channel.update(operator("ana@example.com"), receipt, post(ENDED, version=1))
    chat = world.teams.chat("ana@example.com")
    assert ("Approved by Ana" in chat.shown_text(), len(chat.activities)) == (True, 1)


async def test_a_card_in_a_thread_is_updated_in_place(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room(thread="alert-7")
    second = await world.tell_room(thread="alert-7")
    await world.channel.update(Reader(ReaderKind.ROOM, "room"), second, post(ENDED, version=1))
    assert [each.edited for each in world.teams.channel("alerts").messages] == [0, 1]


async def test_an_update_goes_where_the_receipt_says_and_nowhere_else(world: World) -> None:
    receipt = Receipt("teams", "a:1", "1", {"service_url": "https://evil.example/"})
    with pytest.raises(DeliveryError) as raised:
        await world.channel.update(operator("ana@example.com"), receipt, post(ENDED))
    assert raised.value.reason is Reason.NOT_SET_UP


REFUSALS = [
    (status(400), Reason.INVALID, None),
    (status(403), Reason.REFUSED, None),
    (status(404), Reason.GONE, None),
    (status(412), Reason.UNAVAILABLE, None),
    (status(413), Reason.TOO_LARGE, None),
    (status(429, retry_after=30), Reason.RATE_LIMITED, 30.0),
    (status(500), Reason.UNAVAILABLE, None),
    (status(502), Reason.UNAVAILABLE, None),
    (status(503, retry_after=7), Reason.UNAVAILABLE, 7.0),
    (status(504), Reason.TIMED_OUT, None),
    (status(401), Reason.UNAUTHORIZED, None),
    (reset(), Reason.UNAVAILABLE, None),
    (garbage(), Reason.UNAVAILABLE, None),
    (http(201, "{}"), Reason.UNCLEAR, None),
    (http(200, "[]"), Reason.UNCLEAR, None),
    (redirect("https://evil.example/"), Reason.UNAVAILABLE, None),
]


@pytest.mark.parametrize(
    "failure, reason, retry_after", REFUSALS, ids=lambda value: str(getattr(value, "status", value))
)
async def test_a_refused_card_says_why(
    world: World, failure: Failure, reason: Reason, retry_after: float | None
) -> None:
    await world.install()
    world.teams.fail(failure, path="/activities")
    error = await world.refusal()
    assert (error.reason, error.retry_after) == (reason, retry_after)


@pytest.mark.parametrize(
    "failure, reason, retry_after", REFUSALS[:7], ids=lambda value: str(getattr(value, "status", value))
)
async def test_a_refused_update_says_why(
    world: World, failure: Failure, reason: Reason, retry_after: float | None
) -> None:
    await world.install()
    receipt = await world.ask()
    world.teams.fail(failure, method="PUT")
    with pytest.raises(DeliveryError) as raised:
        await world.channel.update(operator("ana@example.com"), receipt, post(ENDED))
    assert (raised.value.reason, raised.value.retry_after) == (reason, retry_after)


@pytest.mark.parametrize("failure", [status(400), status(403), status(404)], ids=lambda each: str(each.status))
async def test_whose_chat_cannot_be_begun_has_no_address(world: World, failure: Failure) -> None:
    await world.install_in_channel()
    world.teams.fail(failure, path="/v3/conversations", times=1)
    assert (await world.refusal("ben@example.com")).reason is Reason.NO_ADDRESS


async def test_a_busy_connector_is_no_reason_to_think_that_a_person_has_no_address(world: World) -> None:
    await world.install_in_channel()
    world.teams.fail(status(429, retry_after=9), path="/v3/conversations", times=1)
    refused = await world.refusal("ben@example.com")
    assert (refused.reason, refused.retry_after) == (Reason.RATE_LIMITED, 9.0)


async def test_a_connector_that_hangs_times_out(world: World) -> None:
    await world.install()
    presence = world.channel._presence
    hasty = Connector(presence.edge.http, presence.token, presence.settings, presence.edge.now, seconds=0.2)
    world.teams.fail(hang(), path="/activities")
    chat = world.teams.chat("ana@example.com").id
    with pytest.raises(DeliveryError) as raised:
        await hasty.post(world.teams.service_url, chat, {"type": "message", "text": "hello"})
    assert raised.value.reason is Reason.TIMED_OUT


async def test_a_chat_that_is_gone_is_begun_anew(world: World) -> None:
    await world.install_in_channel()
    await world.ask("ben@example.com")
    world.teams.fail(status(404), path="/activities", times=1)
    assert (await world.refusal("ben@example.com")).reason is Reason.GONE
    await world.ask("ben@example.com")
    begun = [each for each in world.teams.journal if each.path.endswith("/v3/conversations")]
    assert len(begun) == 2


async def test_an_update_that_is_answered_with_nonsense_is_not_taken_for_done(world: World) -> None:
    await world.install()
    receipt = await world.ask()
    world.teams.fail(garbage(), method="PUT")
    with pytest.raises(DeliveryError) as raised:
        await world.channel.update(operator("ana@example.com"), receipt, post(ENDED))
    assert raised.value.reason is Reason.UNAVAILABLE


async def test_a_chat_that_was_begun_without_an_id_is_none(world: World) -> None:
    await world.install_in_channel()
    world.teams.fail(http(201, "{}"), path="/v3/conversations", times=1)
    assert (await world.refusal("ben@example.com")).reason is Reason.UNAVAILABLE
    await world.ask("ben@example.com")
    assert len(world.teams.chat("ben@example.com").cards) == 1


async def test_a_redirect_is_not_followed(world: World) -> None:
    await world.install()
    world.teams.fail(redirect(f"{world.teams.origin}/elsewhere", status=307), path="/activities")
    await world.refusal()
    assert [each.path for each in world.teams.journal if "elsewhere" in each.path] == []


async def test_a_card_that_is_too_large_goes_out_short_with_its_page(world: World) -> None:
    await world.install()
    world.teams.fail(status(413), path="/activities", times=1)
    await world.ask()
    chat = world.teams.chat("ana@example.com")
    assert (chat.labels, PAGE in chat.last.links()) == (["Review full request"], True)


async def test_a_payload_beyond_the_platforms_size_still_arrives(world: World) -> None:
    await world.install()
    await world.ask(card=replace(QUESTION, payload=Payload("x" * 200_000, Format.TEXT)))
    assert "Approve" not in world.teams.chat("ana@example.com").labels


async def test_a_token_that_ran_out_is_asked_anew_once(world: World) -> None:
    await world.install()
    world.teams.login.forget_tokens()
    await world.ask()
    assert world.teams.chat("ana@example.com").cards


async def test_who_blocked_the_bot_is_not_knocked_at_again(world: World) -> None:
    await world.install()
    world.teams.chat("ana@example.com").block()
    await world.refusal()
    calls = len(world.teams.journal)
    assert ((await world.refusal()).reason, len(world.teams.journal) - calls) == (Reason.REFUSED, 0)


async def test_whose_refusal_an_update_finds_out_is_not_knocked_at_either(world: World) -> None:
    await world.install()
    receipt = await world.ask()
    world.teams.chat("ana@example.com").block()
    with pytest.raises(DeliveryError):
        await world.channel.update(operator("ana@example.com"), receipt, post(ENDED, version=1))
    calls = len(world.teams.journal)
    assert ((await world.refusal()).reason, len(world.teams.journal) - calls) == (Reason.REFUSED, 0)


async def test_who_blocked_the_bot_is_tried_again_after_an_hour(world: World) -> None:
    await world.install()
    world.teams.chat("ana@example.com").block()
    await world.refusal()
    world.teams.chat("ana@example.com").unblock()
    world.doorman.at += 3601
    await world.ask()
    await world.ask()
    assert len(world.teams.chat("ana@example.com").cards) == 2


@pytest.mark.parametrize("name", ["TEAMS_APP_ID", "TEAMS_CLIENT_SECRET", "TEAMS_TENANT_ID"])
async def test_without_its_settings_it_sends_nothing(tenant: TeamsTenant, session: ClientSession, name: str) -> None:
    async with world_of(tenant, session, **{name: ""}) as world:
        assert ((await world.refusal()).reason, world.channel.missing()) == (Reason.NOT_SET_UP, (name,))


async def test_a_service_url_that_an_admin_typed_gets_no_token_if_its_host_is_foreign(
    tenant: TeamsTenant, session: ClientSession
) -> None:
    typed = {"TEAMS_CONVERSATION_ID": "19:abc@thread.tacv2", "TEAMS_SERVICE_URL": "https://evil.example/"}
    async with world_of(tenant, session, **typed) as world:
        with pytest.raises(DeliveryError) as raised:
            await world.tell_room()
    assert raised.value.reason is Reason.NOT_SET_UP
