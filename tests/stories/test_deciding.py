"""Every kind of question, asked and answered where people work; only the rendering differs."""

from typing import Any

import pytest

from tests.stories.hands import CHANNELS, NAMES, PEOPLE, offered, press, reads
from tests.stories.world import ANA, BEN, World

Json = dict[str, Any]

BLOCKED: Json = {
    "agent": "Archivist",
    "tool": "drive.delete",
    "user": "dana@example.com",
    "arguments": {"path": "/reports/2024.pdf"},
    "policy": "no-deletes",
    "reason": "Deleting is for people.",
}
WRITE: Json = {"agent": "Scribe", "tool": "crm.update", "summary": "Raise the price", "diff": "-price: 10\n+price: 12"}
PLACES: Json = {
    "agent": "Clerk",
    "question": "Which account do you mean?",
    "choices": [
        {"id": "eu", "label": "Europe", "description": "Everything in euro"},
        {"id": "us", "label": "America", "description": "Everything in dollars"},
    ],
}
OPEN: Json = {**PLACES, "allow_other": True}

on_every_channel = pytest.mark.parametrize("channel", CHANNELS)
SAID = (
    ("blocked_action", BLOCKED, ["Archivist was blocked from drive.delete", "dana@example.com", "no-deletes",
                                 "Deleting is for people.", "/reports/2024.pdf"]),
    ("write_confirmation", WRITE, ["Scribe wants to write", "crm.update", "Raise the price", "-price: 10",
                                   "+price: 12"]),
    ("clarification", PLACES, ["Clerk needs to know", "Which account do you mean?", "Everything in euro",
                               "Everything in dollars"]),
)  # fmt: skip
OFFERED = (
    ("blocked_action", BLOCKED, ["Approve", "Keep blocked"]),
    ("write_confirmation", WRITE, ["Execute", "Cancel"]),
    ("clarification", PLACES, ["Europe", "America"]),
    ("clarification", OPEN, ["Europe", "America", "Something else"]),
)
ANSWERS = (
    ("blocked_action", BLOCKED, "Approve", "approve", True, "Approved by {}"),
    ("blocked_action", BLOCKED, "Keep blocked", "keep_blocked", False, "Kept blocked by {}"),
    ("write_confirmation", WRITE, "Execute", "execute", True, "Execution approved by {}"),
    ("write_confirmation", WRITE, "Cancel", "cancel", False, "Cancelled by {}"),
    ("clarification", PLACES, "America", "us", None, "America, chosen by {}"),
)


@on_every_channel
@pytest.mark.parametrize("kind, payload, words", SAID, ids=lambda value: value if isinstance(value, str) else "")
async def test_the_person_reads_everything_that_was_asked(
    world: World, channel: str, kind: str, payload: Json, words: list[str]
) -> None:
    await world.ask(kind, payload, [PEOPLE[channel]])
    shown = (await reads(world, channel)).replace("\N{NO-BREAK SPACE}", " ")
    assert [each for each in words if each not in shown] == []


@on_every_channel
@pytest.mark.parametrize("kind, payload, labels", OFFERED, ids=lambda value: value if isinstance(value, str) else "")
async def test_the_choices_bear_their_labels(
    world: World, channel: str, kind: str, payload: Json, labels: list[str]
) -> None:
    await world.ask(kind, payload, [PEOPLE[channel]])
    assert await offered(world, channel) == labels


@on_every_channel
@pytest.mark.parametrize("kind, payload, label, choice, approved, outcome", ANSWERS, ids=lambda value: str(value)[:20])
async def test_the_choice_that_was_taken_is_the_decision(
    world: World, channel: str, kind: str, payload: Json, label: str, choice: str, approved: bool | None, outcome: str
) -> None:
    asked = await world.ask(kind, payload, [PEOPLE[channel]])
    await press(world, channel, label)
    seen = await world.end_of(asked["id"])
    decision = {name: seen["decision"][name] for name in ("choice", "approved", "by", "channel")}
    assert decision == {"choice": choice, "approved": approved, "by": NAMES[channel], "channel": channel}
    await reads(world, channel, outcome.format(NAMES[channel]))


# ---- more choices than fit beside each other -------------------------------------------------------------------------


def many(count: int) -> Json:
    choices = [{"id": f"c{each}", "label": f"Account {each}"} for each in range(1, count + 1)]
    return {"question": "Which account do you mean?", "choices": choices}


@on_every_channel
@pytest.mark.parametrize("count", [6, 40, 100])
async def test_the_last_of_many_choices_can_be_taken(world: World, channel: str, count: int) -> None:
    asked = await world.ask("clarification", many(count), [PEOPLE[channel]])
    assert len(await offered(world, channel)) == count
    await press(world, channel, f"Account {count}")
    assert (await world.end_of(asked["id"]))["decision"]["choice"] == f"c{count}"


@on_every_channel
@pytest.mark.parametrize("count", [2, 5, 6, 40, 100])
async def test_something_else_takes_a_free_text(world: World, channel: str, count: int) -> None:
    asked = await world.ask("clarification", {**many(count), "allow_other": True}, [PEOPLE[channel]])
    assert (await offered(world, channel))[-1] == "Something else"
    await press(world, channel, "Something else", {"other": "The one in Asia"})
    decision = (await world.end_of(asked["id"]))["decision"]
    assert (decision["choice"], decision["inputs"]) == ("other", {"other": "The one in Asia"})


@on_every_channel
async def test_beside_something_else_the_other_choices_need_no_text(world: World, channel: str) -> None:
    asked = await world.ask("clarification", {**many(40), "allow_other": True}, [PEOPLE[channel]])
    await press(world, channel, "Account 7")
    decision = (await world.end_of(asked["id"]))["decision"]
    assert (decision["choice"], decision.get("inputs")) == ("c7", None)


@on_every_channel
@pytest.mark.parametrize("count", [6, 100])
async def test_a_picker_still_explains_its_choices(world: World, channel: str, count: int) -> None:
    asked = many(count)
    for each in asked["choices"]:
        each["description"] = f"Held at branch {each['id']}"
    await world.ask("clarification", asked, [PEOPLE[channel]])
    if channel == "slack":
        await reads(world, channel)
        menu = world.slack.dm(ANA).last.menus[0]
        shown = str(menu.raw)
    else:
        shown = await reads(world, channel)
    assert f"Held at branch c{count}" in shown


# ---- why -------------------------------------------------------------------------------------------------------------


@on_every_channel
@pytest.mark.parametrize("label", ["Approve", "Keep blocked"])
async def test_a_reason_may_be_given_with_any_choice(world: World, channel: str, label: str) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [PEOPLE[channel]], reason="optional")
    await press(world, channel, label, {"reason": "It is in the backup"})
    assert (await world.end_of(asked["id"]))["decision"]["reason"] == "It is in the backup"
    await reads(world, channel, "It is in the backup")


async def test_an_optional_reason_may_be_left_empty_in_slack(world: World) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [ANA], reason="optional")
    await world.shown_to_ana("Approve")
    modal = await (await world.slack.dm(ANA).click("Approve")).wait_for_modal()
    await modal.submit()
    assert (await world.end_of(asked["id"]))["decision"]["approved"] is True


@on_every_channel
async def test_a_denial_says_why_where_that_is_asked(world: World, channel: str) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [PEOPLE[channel]], reason="required_on_denial")
    await press(world, channel, "Keep blocked", {"reason": "The audit needs it"})
    decision = (await world.end_of(asked["id"]))["decision"]
    assert (decision["approved"], decision["reason"]) == (False, "The audit needs it")


@on_every_channel
async def test_an_approval_needs_no_reason_where_only_a_denial_does(world: World, channel: str) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [PEOPLE[channel]], reason="required_on_denial")
    await press(world, channel, "Approve")
    assert (await world.end_of(asked["id"]))["decision"]["approved"] is True


async def test_slack_does_not_send_a_denial_without_its_reason(world: World) -> None:
    await world.ask("blocked_action", BLOCKED, [ANA], reason="required_on_denial")
    await world.shown_to_ana("Keep blocked")
    modal = await (await world.slack.dm(ANA).click("Keep blocked")).wait_for_modal()
    submitted = await modal.submit()
    assert (submitted.delivery, list(submitted.errors)) == (None, ["input.reason"])


async def test_a_denial_that_slack_let_through_without_a_reason_is_sent_back(world: World) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [ANA], reason="required_on_denial")
    await world.shown_to_ana("Keep blocked")
    modal = await (await world.slack.dm(ANA).click("Keep blocked")).wait_for_modal()
    modal.fill({"input.reason": " \u200b "})
    submitted = await modal.submit()
    assert "Please fill in “Reason”." in submitted.errors["input.reason"]
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_teams_does_not_send_a_denial_without_its_reason(world: World) -> None:
    await world.ask("blocked_action", BLOCKED, [BEN], reason="required_on_denial")
    await world.shown_to_ben("Keep blocked")
    pressed = await world.click_in_teams("Keep blocked")
    assert (pressed.delivery, list(pressed.blocked)) == (None, ["input.reason"])


async def test_a_denial_that_teams_let_through_without_a_reason_is_answered_in_words(world: World) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [BEN], reason="required_on_denial")
    await world.shown_to_ben("Keep blocked")
    delivery = await world.teams.send(world.teams.chat(BEN).invoke("Keep blocked"))
    assert "Please fill in “Reason”." in delivery.body["value"]
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_the_page_asks_again_for_a_reason_that_is_missing(world: World) -> None:
    asked = await world.ask("blocked_action", BLOCKED, [PEOPLE["email"]], reason="required_on_denial")
    await world.shown_to_mia()
    page = await (await world.page_of()).press("Keep blocked", reason="  ")
    assert (page.status, "Please fill in “Reason”." in page.text) == (422, True)
    assert (await world.see(asked["id"]))["status"] == "pending"
