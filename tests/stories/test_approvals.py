"""Requests that more than one person has to approve, and people who may not approve at all."""

import pytest

from bot.rehearsal.failure import status
from interactions.model import Role
from tests.stories.hands import CHANNELS, NAMES, PEOPLE, press, reads, refusal_of
from tests.stories.world import ANA, BEN, CLEO, MIA, World


async def two_of_three(world: World) -> str:
    asked = await world.ask_blocked(approvals=2)
    await world.shown_to_all()
    return str(asked["id"])


# ---- two approvals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
async def test_one_of_two_approvals_is_shown_on_every_card_and_decides_nothing(world: World, channel: str) -> None:
    id_ = await two_of_three(world)
    await reads(world, "slack", "0 of 2 approvals")
    await press(world, channel, "Approve")
    progress = f"1 of 2 approvals: {NAMES[channel]}"
    await world.shown_to_ana(progress)
    await world.shown_to_ben(progress)
    assert progress in (await world.page_of()).text
    seen = await world.see(id_)
    assert (seen["status"], seen["approvals"]) == ("pending", {"needed": 2, "given": [NAMES[channel]]})


async def test_the_second_approval_decides_and_names_both(world: World) -> None:
    id_ = await two_of_three(world)
    await press(world, "slack", "Approve")
    await world.shown_to_ben("1 of 2 approvals: Ana")
    await press(world, "teams", "Approve")
    seen = await world.end_of(id_)
    assert (seen["status"], seen["decision"]["approved"]) == ("decided", True)
    await world.shown_to_ana("Approved by Ana, Ben")
    await world.shown_to_ben("Approved by Ana, Ben")


async def test_a_denial_ends_it_whatever_was_approved_before(world: World) -> None:
    id_ = await two_of_three(world)
    await press(world, "slack", "Approve")
    await world.shown_to_ben("1 of 2 approvals: Ana")
    await press(world, "teams", "Keep blocked")
    seen = await world.end_of(id_)
    assert (seen["status"], seen["decision"]["approved"], seen["decision"]["by"]) == ("decided", False, "Ben")
    await world.shown_to_ana("Kept blocked by Ben")


async def test_one_person_does_not_count_twice(world: World) -> None:
    id_ = await two_of_three(world)
    await press(world, "slack", "Approve")
    await world.shown_to_ana("1 of 2 approvals: Ana")
    await press(world, "slack", "Approve")
    await world.whispered("You have already approved this; it waits for somebody else.")
    assert (await world.see(id_))["approvals"]["given"] == ["Ana"]


async def test_the_page_offers_no_second_approval_to_the_same_person(world: World) -> None:
    await two_of_three(world)
    page = await (await world.page_of()).press("Approve")
    assert ("You have already approved this" in page.text, page.buttons) == (True, {})


async def test_the_caller_is_told_nothing_at_the_first_approval(world: World) -> None:
    await world.ask_blocked(approvals=2, callback_url=world.caller.url)
    await world.shown_to_all()
    await press(world, "slack", "Approve")
    await world.shown_to_ben("1 of 2 approvals")
    await press(world, "teams", "Approve")
    told = await world.caller.wait_for(1)
    assert [each.json["status"] for each in told] == ["decided"]


async def test_more_approvals_than_people_are_refused(world: World) -> None:
    asked = await world.ask_blocked([ANA], approvals=2)
    assert (asked.status, asked["errors"][0]["field"]) == (422, "approvals")


@pytest.mark.parametrize(
    "to, asking, words",
    [
        ([ANA], {}, f"Only {ANA} is asked, and it is their own request, so nobody could approve it."),
        ([], {}, f"Only {ANA} is asked, and it is their own request, so nobody could approve it."),
        ([ANA, BEN], {"approvals": 2}, f"2 approvals are needed, and of {ANA}, {BEN} {BEN} could approve it:"),
    ],
)
async def test_a_question_that_nobody_could_approve_is_refused(
    world: World, to: list[str], asking: dict[str, int], words: str
) -> None:
    asked = await world.ask_blocked(to, requested_by={"email": ANA.upper()}, **asking)
    assert (asked.status, asked["errors"][0]["field"], words in asked["detail"]) == (422, "audience", True)
    assert asked["detail"].endswith("Ask somebody else too.")


async def test_a_question_that_only_viewers_were_asked_is_refused(world: World) -> None:
    await world.operators.add("vic@example.com", role=Role.VIEWER, by="cli")
    asked = await world.ask_blocked(["vic@example.com"])
    assert (asked.status, "a viewer does not decide" in asked["detail"]) == (422, True)


async def test_a_choice_that_approves_nothing_may_be_asked_of_whoever_asks(world: World) -> None:
    choices = [{"id": "one", "label": "One"}, {"id": "two", "label": "Two"}]
    asked = await world.ask(
        "clarification", {"question": "Which?", "choices": choices}, [ANA], requested_by={"email": ANA}
    )
    assert asked.status == 201
    await world.shown_to_ana("Which?")


# ---- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
async def test_nobody_approves_their_own_request(world: World, channel: str) -> None:
    asked = await world.ask_blocked(requested_by={"email": PEOPLE[channel].upper(), "agent": "Bot"})
    await world.shown_to_all()
    said = await refusal_of(world, channel)
    assert "This is your own request, so somebody else has to approve it." in said
    assert (await world.see(asked["id"]))["status"] == "pending"


@pytest.mark.parametrize("channel", CHANNELS)
async def test_the_requester_may_still_take_it_back_by_denying(world: World, channel: str) -> None:
    asked = await world.ask_blocked(requested_by={"email": PEOPLE[channel]})
    await world.shown_to_all()
    await press(world, channel, "Keep blocked")
    assert (await world.end_of(asked["id"]))["decision"]["approved"] is False


@pytest.mark.parametrize("channel", CHANNELS)
async def test_somebody_who_was_removed_since_is_refused(world: World, channel: str) -> None:
    asked = await world.ask_blocked()
    await world.shown_to_all()
    open_page = await world.page_of()
    await world.operators.add("dan@example.com", role=Role.ADMIN, by="cli")
    await world.operators.remove(await world.operator_id(PEOPLE[channel]), by="cli")
    assert "You were not asked to decide this" in await refusal_of(world, channel, open_page)
    assert (await world.see(asked["id"]))["status"] == "pending"
    assert "click.refused" in [action for action, _ in await world.audit()]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_viewer_may_look_and_not_decide(world: World, channel: str) -> None:
    asked = await world.ask_blocked()
    await world.shown_to_all()
    open_page = await world.page_of()
    await world.operators.add("dan@example.com", role=Role.ADMIN, by="cli")
    await world.operators.change(await world.operator_id(PEOPLE[channel]), role=Role.VIEWER, by="cli")
    assert "Your role is viewer" in await refusal_of(world, channel, open_page)
    assert (await world.see(asked["id"]))["status"] == "pending"


# ---- strangers -------------------------------------------------------------------------------------------------------


async def test_a_stranger_in_a_slack_room_gets_a_private_refusal(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    asked = (await world.ask_blocked([ANA, MIA], room=room.id))["id"]
    await room.wait_for("Keep blocked")
    await room.click("Approve", by=CLEO)
    await room.wait_for(lambda _: room.private(CLEO))
    assert "You were not asked to decide this, so your click changed nothing." in room.private(CLEO)[-1].shown_text()
    assert (await world.see(asked))["status"] == "pending"


async def test_a_refused_stranger_is_written_down(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    await world.ask_blocked([ANA, MIA], room=room.id)
    await room.wait_for("Keep blocked")
    await room.click("Approve", by=CLEO)
    await room.wait_for(lambda _: room.private(CLEO))
    cleo = world.slack.state.person(CLEO)
    assert ("click.refused", f"slack:{world.slack.team_id}:{cleo.id}") in await world.audit()


async def test_nobody_else_in_the_room_sees_the_refusal(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    await world.ask_blocked([ANA, MIA], room=room.id)
    await room.wait_for("Keep blocked")
    await room.click("Approve", by=CLEO)
    await room.wait_for(lambda _: room.private(CLEO))
    assert (room.private(ANA), "not asked" in room.shown_text()) == ([], False)


async def test_an_operator_decides_in_the_room(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    asked = (await world.ask_blocked([ANA, MIA], room=room.id))["id"]
    await room.wait_for("Keep blocked")
    await room.click("Approve", by=ANA)
    assert (await world.end_of(asked))["decision"]["by"] == "Ana"
    await room.wait_for("Approved by Ana")


async def test_a_stranger_with_a_card_that_was_passed_on_in_slack_is_refused(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    await world.slack.dm(ANA).click("Approve", by=CLEO)
    await world.slack.dm(CLEO).wait_for("You were not asked to decide this")
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_a_stranger_with_a_card_that_was_passed_on_in_teams_is_refused(world: World) -> None:
    asked = await world.ask_blocked([BEN])
    await world.shown_to_ben("Keep blocked")
    pressed = await world.teams.chat(BEN).click("Approve", by=CLEO)
    assert "You were not asked to decide this" in str(pressed.notice)
    assert (await world.see(asked["id"]))["status"] == "pending"
    cleo = world.teams.state.person(CLEO)
    assert ("click.refused", f"teams:{cleo.aad_object_id}") in await world.audit()


async def test_whom_slack_does_not_name_presses_again_in_a_moment(world: World) -> None:
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    silent = world.slack.fail(status(500), path="users.info")
    await world.slack.dm(ANA).click("Approve")
    await world.whispered("It could not be told who you are, so your click changed nothing. Please press again")
    world.slack.heal(silent)
    await world.slack.dm(ANA).click("Approve")
    assert (await world.end_of(asked["id"]))["decision"]["by"] == "Ana"


async def test_whom_teams_does_not_name_presses_again_in_a_moment(world: World) -> None:
    asked = await world.ask_blocked([BEN])
    await world.shown_to_ben("Keep blocked")
    await world.forward(minutes=6)  # for so long a roster's word about an address counts
    silent = world.teams.fail(status(500), path="/members/")
    pressed = await world.click_in_teams("Approve")
    assert "It could not be told who you are, so your click changed nothing." in str(pressed.notice)
    world.teams.heal(silent)
    await world.click_in_teams("Approve")
    assert (await world.end_of(asked["id"]))["decision"]["by"] == "Ben"


async def test_whom_slack_does_not_name_is_shown_no_request_but_asked_to_press_again(world: World) -> None:
    payload = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"all": "x" * 20_000}}
    await world.ask("blocked_action", payload, [ANA])
    await world.shown_to_ana("Review full request")
    world.slack.fail(status(500), path="users.info")
    pressed = await world.slack.dm(ANA).click("Review full request")
    await world.whispered("Please press again in a moment")
    assert pressed.modal is None


async def test_a_stranger_does_not_see_the_full_request_either(world: World) -> None:
    payload = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"all": "x" * 20_000}}
    await world.ask("blocked_action", payload, [ANA])
    await world.shown_to_ana("Review full request")
    pressed = await world.slack.dm(ANA).click("Review full request", by=CLEO)
    await world.slack.dm(CLEO).wait_for("You were not asked to decide this")
    assert pressed.modal is None


async def test_a_room_alone_gives_nobody_the_right_to_decide(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    asked = await world.ask_blocked([], room=room.id)
    await room.wait_for("Keep blocked")
    await room.click("Approve", by=ANA)
    await room.wait_for(lambda _: room.private(ANA))
    assert "You were not asked to decide this" in room.private(ANA)[-1].shown_text()
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_the_page_of_a_room_decides_for_nobody(world: World) -> None:
    await world.ask_blocked([], room="room@example.com")
    await world.mail.wait_for(1, to="room@example.com")
    page = await world.page_of("room@example.com")
    assert ((await page.post("approve")).status, page.buttons) == (403, {})
