"""One question, many copies, one decision, on every kind of installation."""

from tests.stories.hands import press
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, MIA, World


async def test_one_operator_approves_and_every_copy_and_the_caller_say_so(any_world: World) -> None:
    world = any_world
    asked = await world.ask_blocked(callback_url=world.caller.url)
    assert asked.status == 201
    await world.shown_to_ana("Keep blocked")
    await world.shown_to_ben("Keep blocked")
    await world.shown_to_mia()

    await world.slack.dm(ANA).click("Approve")

    seen = await world.end_of(asked["id"])
    assert seen["status"] == "decided"
    assert (seen["decision"]["choice"], seen["decision"]["approved"]) == ("approve", True)
    assert (seen["decision"]["by"], seen["decision"]["channel"]) == ("Ana", "slack")
    await world.shown_to_ana("Approved by Ana")
    await world.shown_to_ben("Approved by Ana")
    await world.shown_to_mia(letters=2)
    assert "Approved by Ana" in world.mail.of(MIA)[-1].text
    told = await world.caller.wait_for(1)
    assert told[0].json["decision"]["choice"] == "approve"


async def test_the_card_of_a_chat_is_changed_where_it_lies(world: World) -> None:
    await world.ask_blocked([ANA, BEN])
    await world.shown_to_ana("Keep blocked")
    await world.shown_to_ben("Keep blocked")
    await world.slack.dm(ANA).click("Approve")
    await world.shown_to_ben("Approved by Ana")
    await at_rest(world)
    in_slack, in_teams = world.slack.dm(ANA), world.teams.chat(BEN)
    assert ([each.edited > 0 for each in in_slack.messages], "Approved by Ana" in in_slack.shown_text()) == (
        [True],
        True,
    )
    assert [each.edited > 0 for each in in_teams.messages] == [True]


async def test_the_outcome_by_mail_is_a_reply_to_the_question(world: World) -> None:
    await world.ask_blocked([ANA, MIA])
    await world.shown_to_mia()
    await press(world, "slack", "Approve")
    await world.shown_to_mia(letters=2)
    question, outcome = world.mail.of(MIA)
    assert (outcome.in_reply_to, outcome.references) == (question.message_id, [question.message_id])
    assert outcome.subject == f"Re: {question.subject}"


async def test_the_page_says_in_whose_name_it_answers(world: World) -> None:
    await world.ask_blocked([MIA])
    await world.shown_to_mia()
    assert "For Mia" in (await world.page_of()).text


async def test_a_decision_in_teams_is_answered_at_once_with_the_settled_card(world: World) -> None:
    await world.ask_blocked()
    await world.shown_to_ben("Keep blocked")
    pressed = await world.teams.chat(BEN).click("Keep blocked")
    assert pressed.status == 200
    assert "Kept blocked by Ben" in world.teams.chat(BEN).shown_text()
    await world.shown_to_ana("Kept blocked by Ben")
