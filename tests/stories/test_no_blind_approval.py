"""Nobody approves what they could not read: where a card is too small, the whole is one click away."""

import re
from typing import Any

import pytest

from tests.stories.hands import CHANNELS, PEOPLE, reads, refusal_of
from tests.stories.world import ANA, BEN, MIA, World

Json = dict[str, Any]
END = "the very last line"


def huge(lines: int) -> Json:
    """Arguments with about 60 characters a line, and something at the end that must be seen."""
    steps = [f"step {number:05}: move report-{number:05}.pdf to the archive" for number in range(lines)]
    return {"agent": "Archivist", "tool": "drive.move", "arguments": {"steps": [*steps, END]}}


FOR_A_WINDOW = 400  # lines: too much for a message, fine for a window of Slack
FOR_A_PAGE = 4000  # lines: too much for any window


# ---- Slack -----------------------------------------------------------------------------------------------------------


async def test_a_card_that_is_not_whole_offers_no_approval_in_slack(world: World) -> None:
    await world.ask("blocked_action", huge(FOR_A_WINDOW), [ANA])
    await world.shown_to_ana("Review full request")
    assert world.slack.dm(ANA).last.labels == ["Keep blocked", "Review full request"]


async def test_the_window_shows_all_and_approving_happens_there(world: World) -> None:
    asked = await world.ask("blocked_action", huge(FOR_A_WINDOW), [ANA])
    await world.shown_to_ana("Review full request")
    modal = await (await world.slack.dm(ANA).click("Review full request")).wait_for_modal()
    shown = modal.shown_text()
    assert [line for line in huge(FOR_A_WINDOW)["arguments"]["steps"] if line not in shown] == []
    await modal.fill({"choice": "Approve"}).submit()
    decision = (await world.end_of(asked["id"]))["decision"]
    assert (decision["approved"], decision["by"], modal.is_open) == (True, "Ana", False)
    await world.shown_to_ana("Approved by Ana")


async def test_denying_needs_no_reading(world: World) -> None:
    asked = await world.ask("blocked_action", huge(FOR_A_WINDOW), [ANA])
    await world.shown_to_ana("Review full request")
    await world.slack.dm(ANA).click("Keep blocked")
    assert (await world.end_of(asked["id"]))["decision"]["approved"] is False


async def test_a_reason_is_asked_in_the_window_too(world: World) -> None:
    asked = await world.ask("blocked_action", huge(FOR_A_WINDOW), [ANA], reason="required_on_denial")
    await world.shown_to_ana("Review full request")
    modal = await (await world.slack.dm(ANA).click("Review full request")).wait_for_modal()
    submitted = await modal.fill({"choice": "Keep blocked"}).submit()
    assert "Please fill in “Reason”." in submitted.errors["input.reason"]
    await modal.fill({"input.reason": "Too much at once"}).submit()
    assert (await world.end_of(asked["id"]))["decision"]["reason"] == "Too much at once"


async def test_a_window_that_was_open_while_somebody_else_decided_says_so(world: World) -> None:
    await world.ask("blocked_action", huge(FOR_A_WINDOW), [ANA, BEN])
    await world.shown_to_ana("Review full request")
    await world.shown_to_ben("Keep blocked")
    modal = await (await world.slack.dm(ANA).click("Review full request")).wait_for_modal()
    await world.click_in_teams("Keep blocked")
    await modal.fill({"choice": "Approve"}).submit()
    assert "Already decided: Kept blocked by Ben at " in modal.shown_text()


async def test_what_is_too_large_for_a_window_cannot_be_approved_in_one(world: World) -> None:
    await world.ask("blocked_action", huge(FOR_A_PAGE), [ANA])
    await world.shown_to_ana("Review full request")
    modal = await (await world.slack.dm(ANA).click("Review full request")).wait_for_modal()
    answer = next(each for each in modal.inputs if each.block_id == "choice")
    assert answer.options == ["Keep blocked"]


@pytest.mark.parametrize("place", ["message", "window"])
async def test_what_is_too_large_for_slack_is_approved_on_the_page(world: World, place: str) -> None:
    asked = await world.ask("blocked_action", huge(FOR_A_PAGE), [ANA])
    await world.shown_to_ana("Review full request")
    links = world.slack.dm(ANA).last.links
    if place == "window":
        modal = await (await world.slack.dm(ANA).click("Review full request")).wait_for_modal()
        links = addresses(modal.blocks)
    page = await world.page_at(next(link for link in links if "/d/" in link))
    assert END in page.text
    await page.press("Approve")
    decision = (await world.end_of(asked["id"]))["decision"]
    assert (decision["approved"], decision["by"], decision["channel"]) == (True, "Ana", "slack")


async def test_nobody_is_given_the_page_of_somebody_elses_card(world: World) -> None:
    """Ben may decide too, but Ana's page would let him answer as Ana."""
    world.slack.add_person("Ben", BEN)
    await world.ask("blocked_action", huge(FOR_A_PAGE), [ANA, BEN])
    await world.shown_to_ana("Review full request")
    modal = await (await world.slack.dm(ANA).click("Review full request", by=BEN)).wait_for_modal()
    assert [link for link in addresses(modal.blocks) if "/d/" in link] == []


def addresses(blocks: list[Json]) -> list[str]:
    return re.findall(r"<(http[^|>]+)", str(blocks))


async def test_a_hundred_long_choices_are_all_there_in_the_window(world: World) -> None:
    choices = [{"id": f"c{each}", "label": f"Account {each}", "description": "d" * 290} for each in range(100)]
    asked = await world.ask("clarification", {"question": "Which?", "choices": choices, "allow_other": True}, [ANA])
    await world.shown_to_ana("Review full request")
    modal = await (await world.slack.dm(ANA).click("Review full request")).wait_for_modal()
    answer = next(each for each in modal.inputs if each.block_id == "choice")
    assert len(answer.options) == 101
    await modal.fill({"choice": "Something else", "input.other": "None of them"}).submit()
    assert (await world.end_of(asked["id"]))["decision"]["inputs"] == {"other": "None of them"}


# ---- changed since ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_button_approves_what_was_shown_beside_it_and_nothing_else(world: World, channel: str) -> None:
    """Whoever changes the stored request, and its digest with it, finds no old button that approves the new one."""
    asked = await world.ask_blocked([PEOPLE[channel]])
    await reads(world, channel)
    somebody_else = next(email for email in PEOPLE.values() if email != PEOPLE[channel])
    other = await world.ask("blocked_action", {"agent": "Archivist", "tool": "drive.empty"}, [somebody_else])
    sql = (
        "UPDATE interaction SET (payload, digest) = (SELECT payload, digest FROM interaction WHERE id = :other)"
        " WHERE id = :id"
    )
    ids = {"id": asked["id"], "other": other["id"]}
    await world.product.store.write(lambda tx: tx.run(sql, ids))
    assert "has changed since it was shown to you" in await refusal_of(world, channel)
    assert (await world.see(asked["id"]))["status"] == "pending"


# ---- Teams and mail --------------------------------------------------------------------------------------------------


async def test_teams_leads_to_the_page_that_shows_all(world: World) -> None:
    asked = await world.ask("blocked_action", huge(FOR_A_PAGE), [BEN])
    await world.shown_to_ben("Review full request")
    assert world.teams.chat(BEN).labels == ["Keep blocked", "Review full request"]
    page = await world.page_at(world.teams.chat(BEN).open_url("Review full request"))
    assert END in page.text
    await page.press("Approve")
    decision = (await world.end_of(asked["id"]))["decision"]
    assert (decision["approved"], decision["by"], decision["channel"]) == (True, "Ben", "teams")
    await world.shown_to_ben("Approved by Ben")


async def test_a_mail_that_is_cut_says_so_and_its_page_shows_all(world: World) -> None:
    asked = await world.ask("blocked_action", huge(FOR_A_PAGE), [MIA])
    await world.shown_to_mia()
    assert "too long to be shown whole here" in world.mail.of(MIA)[0].html
    page = await world.page_of()
    assert END in page.text
    await page.press("Approve")
    assert (await world.end_of(asked["id"]))["decision"]["approved"] is True


async def test_a_mail_itself_decides_nothing(world: World) -> None:
    """Every link of a mail leads to a page that is only looked at."""
    asked = await world.ask_blocked([MIA])
    await world.shown_to_mia()
    for link in world.mail.of(MIA)[0].links:
        await world.page_at(link)
    assert (await world.see(asked["id"]))["status"] == "pending"


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_request_of_a_quarter_of_a_megabyte_reaches_everybody_whole(world: World, channel: str) -> None:
    payload = {"agent": "A", "tool": "t", "arguments": {"text": "\N{GRINNING FACE}" * 20_000 + END}}
    asked = await world.ask("blocked_action", payload, [PEOPLE[channel]])
    assert asked.status == 201, asked.body
    await reads(world, channel)
    match channel:
        case "slack":
            page = await world.page_at(next(link for link in world.slack.dm(ANA).last.links if "/d/" in link))
        case "teams":
            page = await world.page_at(world.teams.chat(BEN).open_url("Review full request"))
        case _:
            page = await world.page_of()
    assert END in page.text


async def test_arguments_that_nobody_could_read_are_refused(world: World) -> None:
    asked = await world.ask("blocked_action", {"agent": "A", "tool": "t", "arguments": {"text": "x" * 300_000}}, [ANA])
    assert (asked.status, asked["errors"][0]["field"]) == (422, "payload.arguments")
