"""What Teams tells about where the bot is, and what of it is remembered."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession

from bot.channels.contract import DeliveryError, Reason
from bot.channels.teams_conversations import member_of
from bot.rehearsal.failure import http, slow, status
from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_screen import Chat
from tests.channels.teams.world import World, world_of

Happens = Callable[..., Awaitable[object]]


async def test_an_installation_fills_the_settings(world: World) -> None:
    channel = await world.install_in_channel()
    assert world.remembered == {"TEAMS_CONVERSATION_ID": channel, "TEAMS_SERVICE_URL": world.teams.service_url}


async def test_a_personal_chat_fills_them_where_there_is_nothing_else(world: World) -> None:
    await world.install()
    assert world.remembered["TEAMS_CONVERSATION_ID"] == world.teams.chat("ana@example.com").id


async def test_a_team_takes_the_place_of_a_personal_chat(world: World) -> None:
    await world.install()
    channel = await world.install_in_channel()
    assert world.remembered["TEAMS_CONVERSATION_ID"] == channel


async def test_the_first_room_stays(world: World) -> None:
    first = await world.install_in_channel("alerts")
    await world.install_in_channel("quiet")
    await world.install()
    assert world.remembered["TEAMS_CONVERSATION_ID"] == first


async def test_what_the_owner_typed_stays(tenant: TeamsTenant, session: ClientSession) -> None:
    async with world_of(tenant, session, TEAMS_CONVERSATION_ID="19:mine@thread.tacv2") as world:
        await world.install_in_channel()
    assert world.remembered == {}


async def test_a_group_chat_is_a_room(world: World) -> None:
    group = world.teams.add_group("On call", ["ana@example.com", "ben@example.com"])
    await group.install(by="ana@example.com")
    await world.tell_room()
    assert group.cards


async def test_an_upgrade_counts_as_an_installation(world: World) -> None:
    channel = world.teams.add_channel("alerts", ["ana@example.com"])
    channel.thread.installed = True
    await channel.upgrade(by="ana@example.com")
    assert world.remembered["TEAMS_CONVERSATION_ID"] == channel.id


async def test_an_upgrade_without_the_bot_counts_as_a_removal(world: World) -> None:
    await world.install()
    await world.teams.chat("ana@example.com").leave_by_upgrade()
    assert (await world.refusal()).reason is Reason.NO_ADDRESS


async def test_after_a_removal_there_is_no_address_and_nothing_is_called(world: World) -> None:
    await world.install()
    await world.teams.chat("ana@example.com").remove()
    calls = len(world.teams.journal)
    assert ((await world.refusal()).reason, len(world.teams.journal)) == (Reason.NO_ADDRESS, calls)


async def test_who_removed_the_app_is_not_told_in_the_room_instead(world: World) -> None:
    await world.install_in_channel()
    await world.install()
    await world.teams.chat("ana@example.com").remove()
    assert (await world.refusal()).reason is Reason.NO_ADDRESS


async def test_a_removal_empties_the_settings_that_filled_themselves(world: World) -> None:
    await world.install()
    await world.teams.chat("ana@example.com").remove()
    assert world.remembered == {"TEAMS_CONVERSATION_ID": "", "TEAMS_SERVICE_URL": ""}


async def test_when_the_room_goes_another_one_takes_its_place(world: World) -> None:
    await world.install_in_channel("alerts")
    group = world.teams.add_group("On call", ["ana@example.com"])
    await group.install(by="ana@example.com")
    await world.teams.channel("alerts").remove(by="ana@example.com")
    assert world.remembered["TEAMS_CONVERSATION_ID"] == group.id


async def test_a_team_that_lost_the_app_loses_all_its_channels(world: World) -> None:
    quiet = await world.install_in_channel("quiet")
    await world.install_in_channel("alerts")
    await world.teams.channel("alerts").remove(by="ana@example.com")
    place = await world.channel._presence.conversations.place(quiet)
    assert place is not None
    assert place.removed


async def test_a_room_that_the_bot_was_removed_from_is_not_called(world: World) -> None:
    channel = await world.install_in_channel()
    await world.teams.channel("alerts").remove(by="ana@example.com")
    calls = len(world.teams.journal)
    with pytest.raises(DeliveryError) as refused:
        await world.tell_room(place=channel)
    assert (refused.value.reason, len(world.teams.journal)) == (Reason.REFUSED, calls)


async def test_adding_the_app_again_brings_the_person_back(world: World) -> None:
    await world.install()
    await world.teams.chat("ana@example.com").remove()
    await world.install()
    await world.ask()
    assert world.teams.chat("ana@example.com").cards


async def test_a_reference_outlives_a_restart(world: World, session: ClientSession) -> None:
    await world.install()
    async with world_of(world.teams, session) as later:
        later.shelf.kept.update(world.shelf.kept)
        await later.ask()
    assert world.teams.chat("ana@example.com").cards


async def test_another_replica_knows_the_room_at_once(world: World, session: ClientSession) -> None:
    messages_url = world.teams.messages_url
    async with world_of(world.teams, session) as other:
        other.shelf.kept = world.shelf.kept
        world.teams.messages_url = messages_url
        await world.install()
        await world.install_in_channel()
        await other.tell_room()
    assert world.teams.channel("alerts").cards


async def test_what_filled_the_settings_before_a_restart_still_gives_way_to_a_room(
    world: World, session: ClientSession
) -> None:
    await world.install()
    async with world_of(world.teams, session, **world.remembered) as later:
        later.shelf.kept.update(world.shelf.kept)
        await later.install_in_channel()
        await later.tell_room()
    assert world.teams.channel("alerts").cards


async def test_a_roster_that_could_not_be_read_is_read_when_somebody_is_looked_for(world: World) -> None:
    rule = world.teams.fail(status(503), path="pagedmembers")
    await world.install_in_channel()
    world.teams.heal(rule)
    await world.ask("ben@example.com")
    assert world.teams.chat("ben@example.com").cards


async def test_two_who_are_looked_for_at_once_are_both_found(world: World) -> None:
    rule = world.teams.fail(status(503), path="pagedmembers")
    await world.install_in_channel()
    world.teams.heal(rule)
    world.teams.fail(slow(0.2), path="pagedmembers")
    people = ("ana@example.com", "ben@example.com")
    await asyncio.gather(*map(world.ask, people))
    assert all(world.teams.chat(each).cards for each in people)


async def test_a_newcomer_of_a_team_becomes_known(world: World) -> None:
    await world.install_in_channel()
    cleo = world.teams.state.person("cleo@example.com")
    channel = world.teams.channel("alerts")
    channel.thread.members.append(cleo)
    activity = world.teams.activities.membership(channel.thread, cleo, added=True)
    activity["membersAdded"] = [{"id": cleo.id, "aadObjectId": cleo.aad_object_id}]
    await world.teams.send(activity)
    await world.settled()
    await world.ask("cleo@example.com")
    assert world.teams.chat("cleo@example.com").cards


@pytest.mark.parametrize(
    "addresses",
    [
        {"email": "ben@example.com", "userPrincipalName": "bokoro@corp.example"},
        {"userPrincipalName": "ben@example.com"},
        {"email": None, "userPrincipalName": "ben@example.com"},
    ],
    ids=str,
)
async def test_people_are_known_by_the_address_of_the_roster(world: World, addresses: dict[str, str | None]) -> None:
    ben = world.teams.connector.described(world.teams.state.person("ben@example.com"))
    entry = {name: value for name, value in ben.items() if name not in {"email", "userPrincipalName"}} | addresses
    world.teams.fail(http(200, json.dumps({"members": [entry]})), path="pagedmembers")
    await world.install_in_channel()
    await world.ask("ben@example.com")
    assert world.teams.chat("ben@example.com").cards


async def test_a_team_that_tells_of_the_bot_alone_counts_as_an_installation(world: World) -> None:
    channel = world.teams.add_channel("alerts", ["ana@example.com"])
    channel.thread.installed = True
    activity = world.teams.activities.membership(channel.thread, channel.thread.members[0], added=True)
    await world.teams.send(activity)
    assert world.remembered["TEAMS_CONVERSATION_ID"] == channel.id


async def test_a_team_that_tells_of_the_bots_leaving_alone_counts_as_a_removal(world: World) -> None:
    channel = await world.install_in_channel()
    thread = world.teams.channel("alerts").thread
    await world.teams.send(world.teams.activities.membership(thread, thread.members[0], added=False))
    with pytest.raises(DeliveryError) as refused:
        await world.tell_room(place=channel)
    assert refused.value.reason is Reason.REFUSED


async def test_a_guests_address_is_not_vouched_for(world: World) -> None:
    ana = world.teams.state.person("ana@example.com")
    told = {**world.teams.connector.described(ana), "userRole": "guest", "userPrincipalName": "ana#EXT#@x.example"}
    member = member_of(told, world.teams.tenant_id, world.teams.service_url)
    assert member is not None
    assert member.email == ""


async def test_an_installation_that_came_to_nothing_is_heard_when_teams_sends_it_again(world: World) -> None:
    chat = world.teams.chat("ana@example.com")
    chat.thread.installed = True
    added = world.teams.activities.installation(chat.thread, chat.thread.members[0], "add")
    world.shelf.away = True
    assert (await world.teams.send(added)).status == 500
    world.shelf.away = False
    assert (await world.teams.send(added)).status == 200
    await world.ask()
    assert chat.cards


async def test_a_replayed_removal_removes_nothing_again(world: World) -> None:
    await world.install()
    chat = world.teams.chat("ana@example.com")
    removal = world.teams.activities.installation(chat.thread, chat.thread.members[0], "remove")
    await world.teams.send(removal)
    await world.install()
    await world.teams.send(removal)
    await world.ask()
    assert chat.cards


async def test_whoever_is_in_the_team_but_was_never_in_the_channel_is_found(world: World) -> None:
    world.teams.add_channel("General", ["ana@example.com", "ben@example.com"])
    await world.teams.add_channel("alerts", ["ana@example.com"]).install(by="ana@example.com")
    await world.settled()
    await world.ask("ben@example.com")
    assert world.teams.chat("ben@example.com").cards


async def test_a_newcomer_of_whom_the_team_tells_becomes_known(world: World) -> None:
    await world.install_in_channel()
    cleo = world.teams.state.person("cleo@example.com")
    thread = world.teams.channel("alerts").thread
    thread.members.append(cleo)
    await world.teams.send(world.teams.activities.newcomer(thread, cleo))
    await world.settled()
    await world.ask("cleo@example.com")
    assert world.teams.chat("cleo@example.com").cards


async def test_when_the_rooms_channel_is_deleted_another_one_takes_its_place(world: World) -> None:
    await world.install_in_channel("alerts")
    quiet = await world.install_in_channel("quiet")
    await world.teams.channel("alerts").delete(by="ana@example.com")
    await world.tell_room()
    assert (world.remembered["TEAMS_CONVERSATION_ID"], len(world.teams.channel("quiet").cards)) == (quiet, 1)


async def test_when_the_rooms_team_is_deleted_a_group_takes_its_place(world: World) -> None:
    await world.install_in_channel("alerts")
    await world.install_in_channel("quiet")
    group = world.teams.add_group("On call", ["ana@example.com"])
    await group.install(by="ana@example.com")
    await world.teams.channel("alerts").delete_team(by="ana@example.com")
    await world.tell_room()
    assert (world.remembered["TEAMS_CONVERSATION_ID"], len(group.cards)) == (group.id, 1)


@pytest.mark.parametrize(
    "delete, restore", [(Chat.delete, Chat.restore), (Chat.delete_team, Chat.restore_team)], ids=["channel", "team"]
)
async def test_what_is_restored_is_written_to_again(world: World, delete: Happens, restore: Happens) -> None:
    channel = await world.install_in_channel()
    alerts = world.teams.channel("alerts")
    await delete(alerts, by="ana@example.com")
    assert world.remembered["TEAMS_CONVERSATION_ID"] == ""
    await restore(alerts, by="ana@example.com")
    await world.tell_room()
    assert (world.remembered["TEAMS_CONVERSATION_ID"], len(alerts.cards)) == (channel, 1)


@pytest.mark.parametrize("event", ["channelCreated", "channelRenamed", "teamRenamed", "teamArchived", "teamUnarchived"])
async def test_whatever_else_happens_to_a_team_changes_nothing(world: World, event: str) -> None:
    await world.install_in_channel()
    thread = world.teams.channel("alerts").thread
    before = (200, dict(world.shelf.kept), dict(world.remembered))
    delivery = await world.teams.send(world.teams.activities.happened(thread, thread.members[0], event))
    await world.settled()
    assert (delivery.status, world.shelf.kept, world.remembered) == before


async def test_a_room_that_refused_a_message_and_then_lost_the_app_gives_way_too(world: World) -> None:
    await world.install_in_channel()
    group = world.teams.add_group("On call", ["ana@example.com"])
    await group.install(by="ana@example.com")
    world.teams.fail(status(403), path="/activities", times=1)
    with pytest.raises(DeliveryError):
        await world.tell_room()
    thread = world.teams.channel("alerts").thread
    await world.teams.send(world.teams.activities.membership(thread, thread.members[0], added=False))
    assert world.remembered["TEAMS_CONVERSATION_ID"] == group.id
