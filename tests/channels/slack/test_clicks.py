"""Buttons, the picker and windows, over HTTP and over Socket Mode."""

import time

import pytest

from bot.channels.contract import Answer
from bot.rehearsal.failure import error
from interactions.card import Card, Choice, Input
from tests.channels.slack.world import ENDED, QUESTION, TOKEN, WITH_REASON, World, operator, post

REGIONS = Card(title="Which region?", choices=tuple(Choice(f"r{number}", f"Region {number}") for number in range(8)))
OTHER = Card(
    title="Which one?",
    choices=(Choice("red", "Red"), Choice("other", "Something else")),
    inputs=(Input("other", "What else?", ("other",), required=True),),
)
DECIDED = Answer(False, "Already decided: Approved by Ana at 14:02 UTC. Your click changed nothing.", ENDED)


async def test_a_click_is_an_answer_of_the_person_who_clicked(either: World) -> None:
    await either.ask()
    await either.slack.dm("ana@example.com").click("Approve")
    await either.settled()
    [click] = either.desk.clicks
    assert (click.token, click.choice, click.inputs) == (TOKEN, "approve", {})
    assert click.person.subject == f"{either.slack.team_id}:U0ANA"
    assert (click.person.name, click.person.email) == ("Ana Lima", "ana@example.com")


async def test_the_clicked_message_shows_the_end_at_once(either: World) -> None:
    await either.ask()
    await either.slack.dm("ana@example.com").click("Approve")
    await either.settled()
    message = either.slack.dm("ana@example.com").last
    assert "Approved by Ana" in message.shown_text()
    assert message.labels == []


async def test_a_request_that_still_waits_is_left_to_the_worker(world: World) -> None:
    world.desk.reply = Answer(True, "1 of 2 approvals", QUESTION)
    await world.ask()
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert world.slack.dm("ana@example.com").last.edited == 0


async def test_a_refusal_is_told_to_that_person_alone(either: World) -> None:
    either.desk.reply = Answer(False, "You were not asked to decide this, so your click changed nothing.")
    room = either.slack.add_channel("ops", ["ana@example.com", "ben@example.com"])
    await either.say_in("ops")
    await room.click("Approve", by="ben@example.com")
    await either.settled()
    assert [each.shown_text() for each in room.private("ben@example.com")] == [either.desk.reply.words]
    assert room.private("ana@example.com") == []


async def test_a_refusal_of_what_stands_in_a_thread_alone_is_told_there(either: World) -> None:
    either.desk.reply = Answer(False, "You were not asked to decide this.")
    first = await either.ask(thread="job 7")
    await either.channel.send(operator("ana@example.com"), post(QUESTION, thread="job 7"))
    either.slack.dm("ana@example.com").last.broadcast = False
    await either.slack.dm("ana@example.com").click("Approve")
    await either.settled()
    assert [each.thread_ts for each in either.slack.dm("ana@example.com").ephemerals] == [first.message]


@pytest.mark.parametrize("place", ["first", "last"])
async def test_a_refusal_is_told_where_the_question_is_seen_not_in_a_thread_that_may_be_closed(
    either: World, place: str
) -> None:
    either.desk.reply = Answer(False, "You were not asked to decide this.")
    dm = either.slack.dm("ana@example.com")
    await either.ask(thread="job 7")
    await either.ask(thread="job 7")
    clicked = dm.messages[0] if place == "first" else dm.last
    payload = dm.payload("Approve", message=clicked)
    # Slack names the thread in both, also in the message that began it.
    payload["container"]["thread_ts"] = payload["message"]["thread_ts"] = dm.messages[0].ts
    await either.slack.interact(payload)
    await either.settled()
    assert [each.thread_ts for each in dm.ephemerals] == [None]


async def test_whoever_is_not_in_the_room_any_more_is_told_in_a_direct_message(world: World) -> None:
    world.desk.reply = Answer(False, "You were not asked.")
    room = world.slack.add_channel("ops", ["ana@example.com"])
    await world.say_in("ops")
    await room.click("Approve", by="ben@example.com")
    await world.settled()
    assert world.slack.dm("ben@example.com").last.shown_text() == "You were not asked."


async def test_a_late_click_updates_the_stale_copy_too(world: World) -> None:
    world.desk.reply = DECIDED
    await world.ask()
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert "Approved by Ana" in world.slack.dm("ana@example.com").last.shown_text()
    assert "Already decided" in world.slack.dm("ana@example.com").ephemerals[-1].shown_text()


async def test_who_comes_late_hears_it_although_the_copy_cannot_be_updated(world: World) -> None:
    world.desk.reply = DECIDED
    await world.ask()
    world.slack.fail(error("internal_error"), path="chat.update")
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert "Already decided" in world.slack.dm("ana@example.com").ephemerals[-1].shown_text()


async def test_a_refusal_that_reaches_nobody_breaks_nothing(world: World) -> None:
    world.desk.reply = Answer(False, "You were not asked.")
    await world.ask()
    world.slack.fail(error("internal_error"), path="chat.post")
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert [each.path for each in world.slack.journal][-2:] == ["/api/chat.postEphemeral", "/api/chat.postMessage"]


async def test_a_window_that_was_closed_meanwhile_breaks_nothing(world: World) -> None:
    world.desk.card = world.too_long()
    await world.ask(world.desk.card)
    world.desk.seconds = 1.3
    modal = await (await world.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    modal.view.open = False
    await world.settled()
    assert len(world.called("views.update")) == 1


async def test_where_no_window_opened_none_is_updated(world: World) -> None:
    world.desk.card = world.too_long()
    await world.ask(world.desk.card)
    world.desk.seconds = 1.3
    world.slack.fail(error("expired_trigger_id"), path="views.open")
    await world.slack.dm("ana@example.com").click("Review full request")
    await world.settled()
    assert (len(world.called("views.open")), world.called("views.update")) == (1, [])


async def test_an_entry_of_the_picker_is_an_answer(either: World) -> None:
    either.desk.card = REGIONS
    await either.ask(REGIONS)
    await either.slack.dm("ana@example.com").choose("Region 7")
    await either.settled()
    assert [(click.token, click.choice) for click in either.desk.clicks] == [(TOKEN, "r7")]


async def test_a_click_is_acknowledged_while_the_desk_is_slow(either: World) -> None:
    either.desk.seconds = 0.5
    await either.ask()
    pressed = [await either.slack.dm("ana@example.com").click("Approve") for _ in range(3)]
    assert either.desk.clicks == []
    assert min(each.ack_ms for each in pressed) < 100  # the machine may be busy, but not with every one of them


async def test_a_click_does_not_wait_for_an_agent_that_is_busy(world: World) -> None:
    world.talk.seconds = 30
    await world.ask()
    await world.slack.dm("ana@example.com").say("please look into it")
    await world.slack.dm("ana@example.com").click("Approve")
    await world.slack.until(lambda: world.desk.clicks, 2, "the click")


async def test_nothing_is_decided_before_the_needed_reason_is_given(either: World) -> None:
    either.desk.card = WITH_REASON
    await either.ask(WITH_REASON)
    pressed = await either.slack.dm("ana@example.com").click("Keep blocked")
    modal = await pressed.wait_for_modal()
    assert modal.labels == ["Reason"]
    assert either.desk.clicks == []


async def test_a_reason_travels_with_the_answer(either: World) -> None:
    either.desk.card = WITH_REASON
    await either.ask(WITH_REASON)
    modal = await (await either.slack.dm("ana@example.com").click("Keep blocked")).wait_for_modal()
    submitted = await modal.fill({"Reason": "too risky"}).submit()
    assert (submitted.errors, modal.is_open) == ({}, False)
    [click] = either.desk.clicks
    assert (click.token, click.choice, click.inputs) == (TOKEN, "keep_blocked", {"reason": "too risky"})


async def test_an_answer_from_a_window_updates_the_message_behind_it(world: World) -> None:
    world.desk.card = WITH_REASON
    await world.ask(WITH_REASON)
    modal = await (await world.slack.dm("ana@example.com").click("Keep blocked")).wait_for_modal()
    await modal.fill({"Reason": "too risky"}).submit()
    await world.settled()
    assert "Approved by Ana" in world.slack.dm("ana@example.com").last.shown_text()


async def test_a_choice_without_inputs_beside_one_with_them_is_decided_at_once(world: World) -> None:
    world.desk.card = WITH_REASON
    await world.ask(WITH_REASON)
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert [click.choice for click in world.desk.clicks] == ["approve"]


async def test_something_else_takes_free_text(world: World) -> None:
    world.desk.card = OTHER
    await world.ask(OTHER)
    modal = await (await world.slack.dm("ana@example.com").click("Something else")).wait_for_modal()
    await modal.fill({"What else?": "the <@U0BEN> one"}).submit()
    assert [(click.choice, click.inputs) for click in world.desk.clicks] == [("other", {"other": "the <@U0BEN> one"})]


async def test_what_the_desk_misses_is_said_in_the_window(either: World) -> None:
    either.desk.card = WITH_REASON
    either.desk.reply = Answer(False, "Please fill in “Reason”.", field="reason")
    await either.ask(WITH_REASON)
    modal = await (await either.slack.dm("ana@example.com").click("Keep blocked")).wait_for_modal()
    submitted = await modal.fill({"Reason": " "}).submit()
    assert submitted.errors == {"input.reason": "Please fill in “Reason”."}
    assert modal.is_open


async def test_already_decided_is_shown_in_the_window(either: World) -> None:
    either.desk.card = WITH_REASON
    await either.ask(WITH_REASON)
    modal = await (await either.slack.dm("ana@example.com").click("Keep blocked")).wait_for_modal()
    either.desk.reply = DECIDED
    await modal.fill({"Reason": "too risky"}).submit()
    assert "Already decided: Approved by Ana" in modal.shown_text()
    assert modal.labels == []


async def test_a_submitted_window_is_answered_in_time_while_the_desk_is_slow(world: World) -> None:
    world.desk.card = WITH_REASON
    await world.ask(WITH_REASON)
    modal = await (await world.slack.dm("ana@example.com").click("Keep blocked")).wait_for_modal()
    world.desk.seconds = 3.2
    submitted = await modal.fill({"Reason": "too risky"}).submit()
    assert submitted.status == 200
    assert "longer than usual" in modal.shown_text()
    await world.slack.until(lambda: "was stored" in modal.shown_text(), what="the outcome in the window")


async def test_the_full_request_is_reviewed_and_answered_in_a_window(either: World) -> None:
    either.desk.card = either.too_long()
    await either.ask(either.desk.card)
    modal = await (await either.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    assert "the last line" in modal.shown_text()
    await modal.fill({"choice": "Approve"}).submit()
    assert [(click.token, click.choice) for click in either.desk.clicks] == [(TOKEN, "approve")]


async def test_a_review_without_an_answer_asks_for_one(world: World) -> None:
    world.desk.card = world.too_long()
    await world.ask(world.desk.card)
    modal = await (await world.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    submitted = await modal.submit()
    assert submitted.errors == {"choice": "Please complete this required field."}
    assert world.desk.clicks == []


async def test_somebody_who_may_only_look_gets_nothing_to_submit(world: World) -> None:
    world.desk.card, world.desk.may_decide, world.desk.words = world.too_long(), False, "You can look, but not decide."
    await world.ask(world.desk.card)
    modal = await (await world.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    assert "You can look, but not decide." in modal.shown_text()
    assert modal.labels == []


async def test_a_request_that_may_not_be_seen_opens_no_window(world: World) -> None:
    world.desk.hidden = Answer(False, "You were not asked to decide this.")
    await world.ask(world.too_long())
    pressed = await world.slack.dm("ana@example.com").click("Review full request")
    await world.settled()
    assert pressed.modal is None
    assert world.slack.dm("ana@example.com").ephemerals[-1].shown_text() == "You were not asked to decide this."


async def test_a_slow_desk_does_not_cost_the_click_its_window(world: World) -> None:
    world.desk.card = world.too_long()
    await world.ask(world.desk.card)
    world.desk.seconds = 3.2
    modal = await (await world.slack.dm("ana@example.com").click("Review full request")).wait_for_modal()
    assert "One moment" in modal.shown_text()
    await world.slack.until(lambda: "the last line" in modal.shown_text(), what="the request in the window")


async def test_whoever_gets_no_window_is_told_to_press_again(world: World) -> None:
    world.desk.card = WITH_REASON
    await world.ask(WITH_REASON)
    world.slack.fail(error("expired_trigger_id"), path="views.open")
    await world.slack.dm("ana@example.com").click("Keep blocked")
    await world.settled()
    assert "press the button again" in world.slack.dm("ana@example.com").ephemerals[-1].shown_text()


async def test_a_click_arrives_although_the_profile_cannot_be_read(world: World) -> None:
    await world.ask()
    world.slack.fail(error("internal_error"), path="users.info")
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert [click.person.email for click in world.desk.clicks] == [""]


async def test_a_profile_is_not_asked_for_with_every_click(world: World) -> None:
    await world.ask()
    for _ in range(3):
        world.desk.reply = Answer(False, "No.")
        await world.slack.dm("ana@example.com").click("Approve")
        await world.settled()
    assert len(world.called("users.info")) == 1


@pytest.mark.parametrize("mark", ["is_restricted", "is_ultra_restricted", "is_bot", "deleted", "is_stranger"])
async def test_the_address_of_a_guest_a_bot_or_a_stranger_is_withheld(world: World, mark: str) -> None:
    await world.ask()
    world.profile_says("U0ANA", {mark: True})
    await world.slack.dm("ana@example.com").click("Approve")
    await world.settled()
    assert [click.person.email for click in world.desk.clicks] == [""]


async def test_the_address_of_somebody_from_another_workspace_is_withheld(world: World) -> None:
    room = world.slack.add_channel("shared", ["ana@example.com", "cleo@elsewhere.example"])
    await world.say_in("shared")
    await room.click("Approve", by="cleo@elsewhere.example")
    await world.settled()
    assert [(each.person.subject, each.person.email) for each in world.desk.clicks] == [("T0ELSEWHERE:U0CLEO", "")]


async def test_two_clicks_at_once_are_two_answers(world: World) -> None:
    started = time.perf_counter()
    world.desk.seconds = 0.3
    room = world.slack.add_channel("ops", ["ana@example.com", "ben@example.com"])
    await world.say_in("ops")
    await room.click("Approve", by="ana@example.com")
    await room.click("Keep blocked", by="ben@example.com")
    await world.settled()
    assert {(each.person.name, each.choice) for each in world.desk.clicks} == {
        ("Ana Lima", "approve"),
        ("Ben Okoro", "keep_blocked"),
    }
    assert time.perf_counter() - started < 1.1
