"""Who clicks or writes: an address counts as the roster says it now, and never as it was once learnt."""

import asyncio
import json

import pytest

from bot.channels.contract import Answer, Person
from bot.rehearsal.failure import Failure, hang, http, slow, status
from bot.rehearsal.teams_screen import Pressed
from tests.channels.teams.world import World

ANA, BEN, CLEO = "ana@example.com", "ben@example.com", "cleo@example.com"


async def room(world: World) -> None:
    """The app was added some time ago. Who is refused here may press again."""
    await world.install_in_channel()
    await world.tell_room()
    world.doorman.at += 301
    world.desk.reply = Answer(False, "You were not asked to decide this.")


async def press(world: World, who: str) -> Pressed:
    return await world.teams.channel("alerts").click("Approve", by=who)


def pressed_by(world: World) -> list[str]:
    return [click.person.email for click in world.desk.clicks]


def questions(world: World) -> int:
    return len([entry for entry in world.teams.journal if "/members/" in entry.path])


async def test_an_address_that_passed_to_another_person_is_the_other_persons(world: World) -> None:
    await room(world)
    was = world.teams.state.give_address(ANA, "ana.before@example.com")
    now = world.teams.state.give_address(BEN, ANA)
    await press(world, was.id)
    await press(world, now.id)
    assert pressed_by(world) == ["ana.before@example.com", ANA]


async def test_it_is_so_for_messages_too(world: World) -> None:
    await world.install()
    world.doorman.at += 301
    was = world.teams.state.give_address(ANA, "ana.before@example.com")
    await world.teams.chat(was).say("pending")
    await world.settled()
    assert [person.email for _, person in world.talk.heard] == ["ana.before@example.com"]


@pytest.mark.parametrize("failure", [status(500), status(404), status(429), hang()], ids=str)
async def test_while_the_roster_does_not_say_it_nobody_has_an_address(world: World, failure: Failure) -> None:
    await room(world)
    ana = world.teams.state.person(ANA)
    world.teams.fail(failure, path="/members/")
    await press(world, ANA)
    assert world.desk.clicks[0].person == Person("teams", ana.aad_object_id, "Ana Lima", "")


async def test_an_address_that_the_roster_no_longer_vouches_for_is_nobodys(world: World) -> None:
    await room(world)
    about = world.teams.connector.described(world.teams.state.person(ANA))
    rule = world.teams.fail(http(200, json.dumps({**about, "userRole": "guest"})), path="/members/")
    await press(world, ANA)
    world.teams.heal(rule)
    known = await world.channel._presence.conversations.by_mail(ANA)
    assert (pressed_by(world), known) == ([""], None)


async def test_whoever_is_in_the_team_but_was_never_in_the_channel_is_known(world: World) -> None:
    world.teams.add_channel("General", [ANA, BEN])
    await world.teams.add_channel("alerts", [ANA]).install(by=ANA)
    await world.tell_room()
    await press(world, BEN)
    assert pressed_by(world) == [BEN]


async def test_whoever_is_in_a_shared_channel_but_not_in_its_team_is_known(world: World) -> None:
    await room(world)
    world.teams.fail(status(404), path="/members/", times=1)
    await press(world, BEN)
    assert pressed_by(world) == [BEN]


async def test_what_the_roster_said_when_the_app_was_added_counts_for_five_minutes(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.doorman.at += 299
    await press(world, ANA)
    assert (questions(world), pressed_by(world)) == (0, [ANA])


async def test_a_second_click_within_minutes_asks_nothing(world: World) -> None:
    await room(world)
    await press(world, ANA)
    world.doorman.at += 299
    await press(world, ANA)
    assert (questions(world), pressed_by(world)) == (1, [ANA, ANA])


async def test_after_five_minutes_the_roster_is_asked_again(world: World) -> None:
    await room(world)
    await press(world, ANA)
    world.doorman.at += 301
    world.teams.state.give_address(ANA, "ana.before@example.com")
    await press(world, "ana.before@example.com")
    assert pressed_by(world) == [ANA, "ana.before@example.com"]


async def test_clicks_at_the_same_moment_ask_once(world: World) -> None:
    await room(world)
    world.teams.fail(slow(0.1), path="/members/")
    clicks = [world.teams.channel("alerts").invoke("Approve", by=ANA) for _ in range(5)]
    await asyncio.gather(*(world.teams.send(each) for each in clicks))
    assert (questions(world), pressed_by(world)) == (1, [ANA] * 5)


async def test_somebody_known_is_answered_within_a_second_while_the_roster_and_the_login_hang(world: World) -> None:
    await room(world)
    world.channel._presence.token.refuse(await world.channel._presence.token.get())
    world.teams.fail(hang(), part="login")
    world.teams.fail(hang(), part="connector")
    pressed = await press(world, ANA)
    assert pressed.delivery is not None
    assert (pressed.delivery.ack_ms < 1000, pressed_by(world)) == (True, [""])


async def test_an_answer_too_late_for_one_click_counts_for_the_next(world: World) -> None:
    await room(world)
    rule = world.teams.fail(slow(0.9), path="/members/")
    await press(world, ANA)
    await world.teams.until(lambda: questions(world))
    world.teams.heal(rule)
    await press(world, ANA)
    assert pressed_by(world) == ["", ANA]


async def test_what_is_remembered_of_somebody_takes_no_address_back(world: World) -> None:
    await world.install()
    world.teams.state.give_address(ANA, "ana.before@example.com")
    ben = world.teams.state.give_address(BEN, ANA)
    await world.teams.add_channel("alerts", [ben]).install(by=ben)
    await world.settled()
    await world.teams.chat("ana.before@example.com").remove()
    await world.ask(ANA)
    assert world.teams.chat(ben).cards


async def test_two_links_at_once_leave_the_address_with_whoever_has_it(world: World) -> None:
    await world.install_in_channel()
    world.teams.state.give_address(ANA, "ana.before@example.com")
    ben = world.teams.state.give_address(BEN, ANA)
    world.teams.fail(slow(0.5), path="/members/", times=1)
    await asyncio.gather(world.send_sign_in(ANA), world.send_sign_in(ANA))
    assert len(world.teams.chat(ben).cards) == 2
