"""A person's answer: who it is, what they see of it, and what never decides."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.channels.contract import Answer, Person
from bot.rehearsal.failure import hang, status
from interactions.card import Input, Payload
from tests.channels.teams.world import QUESTION, TOKEN, World

Json = dict[str, Any]


async def asked_ana(world: World) -> None:
    await world.install()
    await world.ask()


async def test_a_click_reaches_the_desk_with_who_it_was(world: World) -> None:
    await asked_ana(world)
    await world.teams.chat("ana@example.com").click("Approve")
    ana = world.teams.state.person("ana@example.com")
    click = world.desk.clicks[0]
    assert (click.token, click.choice, click.person) == (
        TOKEN,
        "approve",
        Person("teams", ana.aad_object_id, "Ana Lima", "ana@example.com"),
    )


async def test_who_clicks_sees_the_settled_card_at_once(world: World) -> None:
    await asked_ana(world)
    pressed = await world.teams.chat("ana@example.com").click("Approve")
    assert (pressed.card is not None, "Approved by Ana" in str(pressed.card)) == (True, True)


async def test_a_settled_card_has_no_buttons(world: World) -> None:
    await asked_ana(world)
    pressed = await world.teams.chat("ana@example.com").click("Approve")
    assert "Action.Execute" not in str(pressed.card)


async def test_an_approval_of_several_leaves_the_card_open_with_its_progress(world: World) -> None:
    await asked_ana(world)
    world.desk.reply = Answer(True, "1 of 2", replace(QUESTION, progress="1 of 2 approvals: Ana"))
    pressed = await world.teams.chat("ana@example.com").click("Approve")
    assert ("1 of 2 approvals" in str(pressed.card), TOKEN in str(pressed.card)) == (True, True)


async def test_a_stranger_gets_a_private_refusal(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.desk.reply = Answer(False, "You were not asked to decide this.", QUESTION)
    channel = world.teams.channel("alerts")
    pressed = await channel.click("Approve", by="cleo@example.com")
    assert (pressed.notice, pressed.card) == ("You were not asked to decide this.", None)


async def test_a_refusal_changes_nobodys_card(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.desk.reply = Answer(False, "You were not asked to decide this.", QUESTION)
    channel = world.teams.channel("alerts")
    await channel.click("Approve", by="cleo@example.com")
    await world.settled()
    assert (channel.last.edited, channel.last.own, len(channel.activities)) == (0, {}, 1)


async def test_an_acceptance_without_a_card_says_its_words(world: World) -> None:
    await asked_ana(world)
    world.desk.reply = Answer(True, "Thank you.")
    assert (await world.teams.chat("ana@example.com").click("Approve")).notice == "Thank you."


async def test_a_card_too_large_to_be_shown_whole_is_told_in_words(world: World) -> None:
    await asked_ana(world)
    world.desk.reply = Answer(True, "1 of 2", replace(QUESTION, payload=Payload("x" * 200_000)))
    assert (await world.teams.chat("ana@example.com").click("Approve")).notice == "1 of 2"


async def test_a_reason_travels_with_the_click(world: World) -> None:
    await world.install()
    await world.ask(card=replace(QUESTION, inputs=(Input("reason", "Reason"),)))
    await world.teams.chat("ana@example.com").click("Keep blocked", {"Reason": "not today"})
    assert world.desk.clicks[0].inputs == {"reason": "not today"}


async def test_the_same_click_sent_twice_has_one_effect(world: World) -> None:
    await asked_ana(world)
    activity = world.teams.chat("ana@example.com").invoke("Approve")
    await world.teams.send(activity)
    again = await world.teams.send(activity)
    assert (len(world.desk.clicks), again.body["type"]) == (1, "application/vnd.microsoft.activity.message")


async def test_a_person_whom_the_bot_never_met_is_looked_up(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.shelf.kept = {key: each for key, each in world.shelf.kept.items() if "place" in key}
    await world.teams.channel("alerts").click("Approve", by="ben@example.com")
    assert world.desk.clicks[0].person.email == "ben@example.com"


async def test_without_the_roster_a_click_still_counts_by_the_object_id(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.shelf.kept = {key: each for key, each in world.shelf.kept.items() if "place" in key}
    world.teams.fail(status(500), path="/members/")
    await world.teams.channel("alerts").click("Approve", by="ben@example.com")
    ben = world.teams.state.person("ben@example.com")
    assert (world.desk.clicks[0].person.subject, world.desk.clicks[0].person.email) == (ben.aad_object_id, "")


def changed(path: str, value: Any) -> Any:
    def change(activity: Json) -> None:
        *above, last = path.split(".")
        for key in above:
            activity = activity[key]
        activity[last] = value

    return change


MALFORMED = [
    ("no value", changed("value", None)),
    ("a value that is text", changed("value", "approve")),
    ("no action", changed("value.action", None)),
    ("another type", changed("value.action.type", "Action.Submit")),
    ("another verb", changed("value.action.verb", "refresh")),
    ("no data", changed("value.action.data", None)),
    ("data that is a list", changed("value.action.data", [TOKEN, "approve"])),
    ("no token", changed("value.action.data", {"choice": "approve"})),
    ("no choice", changed("value.action.data", {"token": TOKEN})),
    ("a refresh of the client's own", changed("value.trigger", "automatic")),
    ("a trigger that is no word", changed("value.trigger", {"manual": True})),
]


@pytest.mark.parametrize("change", [row[1] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
async def test_what_is_no_click_decides_nothing(world: World, change: Any) -> None:
    await asked_ana(world)
    activity = world.teams.chat("ana@example.com").invoke("Approve")
    change(activity)
    delivery = await world.teams.send(activity)
    assert (delivery.status, delivery.body["type"], world.desk.clicks) == (200, "application/vnd.microsoft.error", [])


async def test_a_click_without_a_trigger_counts(world: World) -> None:
    await asked_ana(world)
    activity = world.teams.chat("ana@example.com").invoke("Approve")
    del activity["value"]["trigger"]
    await world.teams.send(activity)
    assert len(world.desk.clicks) == 1


async def test_an_old_client_submits_and_its_card_is_settled(world: World) -> None:
    await asked_ana(world)
    chat = world.teams.chat("ana@example.com")
    await chat.submit_click("Approve")
    await world.settled()
    assert ("Approved by Ana" in chat.shown_text(), chat.last.edited) == (True, 1)


async def test_an_old_clients_click_counts_although_its_card_cannot_be_settled_at_once(world: World) -> None:
    await asked_ana(world)
    world.teams.fail(status(500), method="PUT")
    await world.teams.chat("ana@example.com").submit_click("Approve")
    await world.settled()
    assert [click.choice for click in world.desk.clicks] == ["approve"]


async def test_an_old_client_in_a_room_is_refused_in_its_own_chat(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.desk.reply = Answer(False, "You were not asked to decide this.")
    channel = world.teams.channel("alerts")
    await channel.submit_click("Approve", by="ben@example.com")
    await world.settled()
    assert (len(channel.activities), world.teams.chat("ben@example.com").last.text) == (
        1,
        "You were not asked to decide this.",
    )


async def test_a_click_does_not_wait_for_an_agents_turn(world: World) -> None:
    await asked_ana(world)
    world.talk.seconds = 5.0
    chat = world.teams.chat("ana@example.com")
    await chat.say("think about it")
    pressed = await chat.click("Approve")
    assert (pressed.card is not None, pressed.delivery and pressed.delivery.ack_ms < 1000) == (True, True)
    for task in world.tasks:
        task.cancel()


async def test_a_click_is_answered_within_a_second_while_the_roster_and_the_login_hang(world: World) -> None:
    await world.install_in_channel()
    await world.tell_room()
    world.channel._presence.token.refuse(await world.channel._presence.token.get())
    world.teams.fail(hang(), part="login")
    world.teams.fail(hang(), part="connector")
    pressed = await world.teams.channel("alerts").click("Approve", by="cleo@example.com")
    assert pressed.delivery is not None
    assert pressed.delivery.ack_ms < 1000


async def test_fifty_clicks_at_once_are_all_answered_within_a_second(world: World) -> None:
    await asked_ana(world)
    chat = world.teams.chat("ana@example.com")
    clicks = [chat.invoke("Approve") for _ in range(50)]
    answers = await asyncio.gather(*(world.teams.send(each) for each in clicks))
    assert max(each.ack_ms for each in answers) < 1000


async def test_a_desk_that_takes_too_long_is_told_as_an_error(world: World) -> None:
    await asked_ana(world)
    inbound = world.channel._inbound
    assert inbound is not None
    inbound.patience = 0.1
    world.desk.seconds = 1.0
    pressed = await world.teams.chat("ana@example.com").click("Approve")
    assert pressed.error == "This takes longer than usual. Please look at the card again in a moment."
