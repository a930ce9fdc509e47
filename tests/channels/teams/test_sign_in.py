"""A link that signs in whoever has it goes to whoever has the address now, not to whoever was met with it."""

import json

import pytest

from bot.channels.contract import DeliveryError, Reason
from bot.rehearsal.failure import Failure, hang, http, status
from bot.rehearsal.teams_state import TeamsPerson
from tests.channels.teams.world import LINK, World


def asked_who_it_is(world: World) -> int:
    return len([entry for entry in world.teams.journal if "/members/" in entry.path])


def has_link(world: World, who: str | TeamsPerson) -> bool:
    return any(LINK in post.links() for post in world.teams.chat(who).thread.posts)


async def test_it_goes_to_whoever_was_met_with_the_address_and_has_it_still(world: World) -> None:
    await world.install()
    await world.send_sign_in()
    assert has_link(world, "ana@example.com")


async def test_capitals_make_no_other_address(world: World) -> None:
    await world.install()
    await world.send_sign_in("ANA@Example.com")
    assert has_link(world, "ana@example.com")


async def test_an_address_that_passed_to_another_person_leads_to_that_person(world: World) -> None:
    await world.install_in_channel()
    was = world.teams.state.give_address("ana@example.com", "ana.before@example.com")
    now = world.teams.state.give_address("ben@example.com", "ana@example.com")
    await world.send_sign_in()
    assert (has_link(world, now), has_link(world, was)) == (True, False)


async def test_an_address_that_nobody_has_any_more_leads_nowhere(world: World) -> None:
    await world.install()
    was = world.teams.state.give_address("ana@example.com", "ana.before@example.com")
    with pytest.raises(DeliveryError) as refused:
        await world.send_sign_in()
    assert (refused.value.reason, has_link(world, was)) == (Reason.NO_ADDRESS, False)


async def test_who_is_no_longer_of_the_tenant_is_not_sent_one(world: World) -> None:
    await world.install()
    about = world.teams.connector.described(world.teams.state.person("ana@example.com"))
    world.teams.fail(http(200, json.dumps({**about, "tenantId": "another"})), path="/members/")
    with pytest.raises(DeliveryError) as refused:
        await world.send_sign_in()
    assert (refused.value.reason, has_link(world, "ana@example.com")) == (Reason.NO_ADDRESS, False)


async def test_who_is_no_longer_in_the_chat_is_not_sent_one(world: World) -> None:
    await world.install()
    world.teams.fail(status(404), path="/members/")
    with pytest.raises(DeliveryError) as refused:
        await world.send_sign_in()
    assert (refused.value.reason, has_link(world, "ana@example.com")) == (Reason.NO_ADDRESS, False)


@pytest.mark.parametrize("failure, reason", [(status(503), Reason.UNAVAILABLE), (hang(), Reason.TIMED_OUT)], ids=str)
async def test_while_teams_cannot_say_whose_it_is_nobody_is_sent_one(
    world: World, failure: Failure, reason: Reason
) -> None:
    await world.install()
    world.teams.fail(failure, path="/members/")
    with pytest.raises(DeliveryError) as refused:
        await world.send_sign_in()
    assert (refused.value.reason, has_link(world, "ana@example.com")) == (reason, False)


async def test_who_is_known_by_the_object_id_is_not_asked_for(world: World) -> None:
    await world.install()
    asked = asked_who_it_is(world)
    await world.send_sign_in(teams=world.teams.state.person("ana@example.com").aad_object_id)
    assert (has_link(world, "ana@example.com"), asked_who_it_is(world)) == (True, asked)


async def test_any_other_card_trusts_what_was_learnt(world: World) -> None:
    await world.install()
    asked = asked_who_it_is(world)
    await world.ask()
    assert asked_who_it_is(world) == asked


async def test_whoever_was_met_with_another_address_since_is_not_found_by_the_first(world: World) -> None:
    await world.install()
    world.teams.state.give_address("ana@example.com", "ana.now@example.com")
    await world.install("ana.now@example.com")
    assert (await world.refusal("ana@example.com")).reason is Reason.NO_ADDRESS


async def test_where_the_chat_is_gone_but_a_team_still_vouches_it_comes_in_a_new_chat(world: World) -> None:
    await world.install_in_channel()
    await world.ask("ben@example.com")
    world.teams.fail(status(404), path="/members/", times=1)
    await world.send_sign_in("ben@example.com")
    begun = [each for each in world.teams.journal if each.path.endswith("/v3/conversations")]
    assert (len(begun), has_link(world, "ben@example.com")) == (2, True)


async def test_an_object_id_that_teams_never_told_vouches_for_no_address(world: World) -> None:
    await world.install()
    was = world.teams.state.give_address("ana@example.com", "ana.before@example.com")
    with pytest.raises(DeliveryError) as refused:
        await world.send_sign_in(teams="3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert (refused.value.reason, has_link(world, was)) == (Reason.NO_ADDRESS, False)


async def test_where_teams_refused_a_message_an_hour_ago_it_is_tried_with_the_link(world: World) -> None:
    await world.install()
    rule = world.teams.fail(status(403), path="/activities")
    await world.refusal()
    world.teams.heal(rule)
    world.doorman.at += 3601
    await world.send_sign_in()
    assert has_link(world, "ana@example.com")
