"""What a newcomer does on the demo's page, in a browser, with the real server behind it."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.demo.conftest import Screen

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLOCKED = "A destructive action was blocked"
WRITE = "An agent wants to write"
CHOOSE = "An agent needs to choose"
TOKEN = "A sign-in expired"
STORM = "A storm of the same error"


async def test_an_approval_in_slack_is_seen_in_teams_and_mail_and_the_agent_follows_its_signed_callback(
    screen: Screen,
) -> None:
    await screen.play(BLOCKED)
    await expect(screen.agent).to_contain_text("Waiting for a person")
    await screen.press(screen.slack, "Approve")
    for copy in (screen.slack, screen.teams, screen.mail):
        await expect(copy).to_contain_text("Approved by Ana Lima")
    await expect(screen.agent).to_contain_text("drive.delete_folder ran")
    await expect(screen.story).to_contain_text("its signature was verified")


async def test_a_refusal_in_teams_is_seen_in_slack_and_keeps_the_agent_from_acting(screen: Screen) -> None:
    await screen.play(BLOCKED)
    await screen.press(screen.teams, "Keep blocked")
    await expect(screen.slack).to_contain_text("Kept blocked by Ben Okafor")
    await expect(screen.agent).to_contain_text("It stays blocked")
    await expect(screen.agent).not_to_contain_text("drive.delete_folder ran")


async def test_a_write_shows_what_would_change(screen: Screen) -> None:
    await screen.play(WRITE)
    await expect(screen.slack).to_contain_text("+plan: enterprise")
    await screen.press(screen.slack, "Execute")
    await expect(screen.agent).to_contain_text("crm.update_account ran")


async def test_slacks_window_says_what_is_missing_and_takes_an_answer_of_ones_own(screen: Screen) -> None:
    await screen.play(CHOOSE)
    await screen.press(screen.slack, "Something else")
    await screen.press(screen.window, "Send answer")
    await expect(screen.window).to_contain_text("Please complete this required field")
    await screen.window.get_by_label("What else?").fill("The one from May")
    await screen.press(screen.window, "Send answer")
    await expect(screen.window).to_have_count(0)
    await expect(screen.agent).to_contain_text("The one from May")


async def test_an_answer_of_ones_own_goes_through_the_card_in_teams(screen: Screen) -> None:
    await screen.play(CHOOSE)
    await screen.teams.get_by_role("button", name="Something else").first.click()
    await screen.teams.get_by_label("What else?").fill("The one from June")
    await screen.press(screen.teams, "Something else")
    await expect(screen.agent).to_contain_text("The one from June")


async def test_a_choice_in_teams_is_what_the_agent_goes_on_with(screen: Screen) -> None:
    await screen.play(CHOOSE)
    await screen.press(screen.teams, "The newest draft")
    await expect(screen.agent).to_contain_text("contract-bot goes on with “draft”")


async def test_a_dead_token_is_told_to_ana_alone(screen: Screen) -> None:
    await screen.play(TOKEN)
    await expect(screen.slack).to_contain_text("is signed out of")
    await expect(screen.agent).to_contain_text("Accepted")
    await expect(screen.mails).to_have_count(0)


async def test_a_storm_is_one_message_and_the_time_line_says_how_many_were_held_back(screen: Screen) -> None:
    await screen.play(STORM)
    await expect(screen.agent).to_contain_text("1 told, 39 held back")
    await expect(screen.slack.locator(".slack-message")).to_have_count(1)
    await expect(screen.told_of(STORM)).to_contain_text("39 more were held back: the same within the hour")


async def test_chat_and_switches_have_an_entry_of_their_own(screen: Screen) -> None:
    await screen.play(STORM)
    await expect(screen.told_of(STORM)).to_contain_text("Slack took the message for Ana")
    await screen.page.get_by_label("Message gatebell in Slack").fill("hello there")
    await screen.page.keyboard.press("Enter")
    await expect(screen.slack).to_contain_text("you said: hello there")
    await screen.turn("teams", "Hanging")
    between = screen.told_of("Chat and switches")
    for words in ("Ana wrote to the bot", "went to the agent", "Slack took the message for Ana", "Teams takes calls"):
        await expect(between).to_contain_text(words)
    await expect(screen.told_of(STORM).locator(".step")).to_have_count(2)


async def test_the_time_line_has_the_last_five(screen: Screen) -> None:
    for count in range(1, 7):
        await screen.play(TOKEN)
        await expect(screen.told_of(TOKEN)).to_have_count(min(count, 5))
    await expect(screen.told_of(TOKEN).first).to_contain_text("Held back")


async def test_somebody_whom_nothing_reaches_yet_waits(screen: Screen) -> None:
    await screen.turn("mail", "Down (421)")
    await screen.play(BLOCKED)
    copies = screen.story.get_by_role("list", name="Who has a copy where")
    await expect(copies).to_contain_text("Mia waits · tried again and again")


async def test_where_the_app_was_removed_the_time_line_says_why_a_mail_came(screen: Screen) -> None:
    await screen.turn("teams", "Bot removed")
    await screen.play(BLOCKED)
    await expect(screen.told_of(BLOCKED)).to_contain_text("Ben has removed the app from Teams")


async def late(route: Route) -> None:
    await asyncio.sleep(2)
    await route.continue_()


async def test_an_answer_pressed_right_after_a_switch_meets_what_the_switch_did(screen: Screen) -> None:
    await screen.play(BLOCKED)
    await expect(screen.teams.get_by_role("button", name="Approve")).to_be_visible()
    await screen.page.route("**/demo/switches/teams", late)
    await screen.turn("teams", "Down (502)")
    await screen.press(screen.slack, "Approve")
    await expect(screen.told_of(BLOCKED)).to_contain_text("Teams answered 502 to the message for Ben")


async def test_a_switch_stays_where_it_was_turned_until_that_is_done(screen: Screen) -> None:
    """A picture that was taken before would turn it back under the keys of whoever is choosing."""
    drawn = asyncio.Event()

    async def once_drawn(route: Route) -> None:
        await drawn.wait()
        await route.continue_()

    await screen.page.route("**/demo/switches/teams", once_drawn)
    await screen.turn("teams", "Down (502)")
    try:
        elsewhere = {"text": "hello from elsewhere"}
        await screen.page.request.post(f"{screen.address}/demo/slack/say", data=elsewhere)
        await expect(screen.slack).to_contain_text("you said: hello from elsewhere")
        await expect(screen.page.locator('[data-switch="teams"] select')).to_have_value("down")
    finally:
        drawn.set()
    await expect(screen.page.locator(".pane.broken .pane-note")).to_contain_text("Teams answers every call with 502")


async def test_a_scenario_pressed_right_after_a_switch_meets_what_the_switch_did(screen: Screen) -> None:
    await screen.page.route("**/demo/switches/slack", late)
    await screen.turn("slack", "Down (500)")
    await screen.play(BLOCKED)
    await expect(screen.told_of(BLOCKED)).to_contain_text("Slack answered 500")


async def test_without_slack_anas_card_lies_in_teams(screen: Screen) -> None:
    await screen.turn("slack", "Down (500)")
    await screen.play(BLOCKED)
    await screen.page.locator("#teams-who").get_by_role("button", name="Ana").click()
    await screen.press(screen.teams, "Approve")
    await expect(screen.agent).to_contain_text("Ana Lima answered “approve” in Teams")
    await expect(screen.slack.locator(".slack-message")).to_have_count(0)
    await expect(screen.story).to_contain_text("Slack answered 500")


async def test_where_slacks_token_was_revoked_anas_card_lies_in_teams(screen: Screen) -> None:
    await screen.turn("slack", "Token revoked")
    await screen.play(BLOCKED)
    await screen.page.locator("#teams-who").get_by_role("button", name="Ana").click()
    await screen.press(screen.teams, "Approve")
    await expect(screen.agent).to_contain_text("Ana Lima answered “approve” in Teams")
    await expect(screen.told_of(BLOCKED)).to_contain_text("Slack answered “token_revoked”")


async def test_where_the_secret_of_teams_expired_bens_card_lies_in_his_mailbox(screen: Screen) -> None:
    await screen.turn("teams", "Secret expired")
    await screen.play(BLOCKED)
    await expect(screen.story.get_by_role("list", name="Who has a copy where")).to_contain_text("Ben mail ✓")
    await expect(screen.told_of(BLOCKED)).to_contain_text("login answered 400 to the bot")


async def test_without_both_chats_the_mails_page_decides(screen: Screen) -> None:
    await screen.turn("slack", "Down (500)")
    await screen.turn("teams", "Down (502)")
    await screen.play(BLOCKED)
    await expect(screen.mails).to_have_count(3)
    await screen.mails.filter(has_text="To Mia").click()
    async with screen.page.expect_popup() as opened:
        await screen.mail.get_by_role("link", name="Review and decide").click()
    decision = await opened.value
    await decision.get_by_role("button", name="Approve").click()
    await expect(decision.locator("main")).to_contain_text("Approved by Mia Sato")
    await expect(screen.agent).to_contain_text("drive.delete_folder ran")
    await expect(screen.told_of(BLOCKED)).to_contain_text("Mia Sato answered “approve” on the page behind the mail")


async def test_a_killed_server_comes_back_with_the_question_and_its_answer_counts(screen: Screen) -> None:
    await screen.play(BLOCKED)
    await expect(screen.slack.get_by_role("button", name="Approve")).to_be_visible()
    await screen.page.locator("#kill").click()
    await expect(screen.server).to_contain_text("killed")
    await expect(screen.server).to_have_attribute("data-state", "running")
    await expect(screen.page.locator("#toast")).to_contain_text("nothing was lost")
    await screen.press(screen.slack, "Approve")
    await expect(screen.agent).to_contain_text("drive.delete_folder ran")
    await expect(screen.teams).to_contain_text("Approved by Ana Lima")


async def test_a_question_whose_server_dies_before_it_was_sent_arrives_all_the_same(screen: Screen) -> None:
    await screen.turn("slack", "Hanging")
    await screen.turn("teams", "Hanging")
    await screen.turn("mail", "Down (421)")
    await screen.play(BLOCKED)
    await expect(screen.agent).to_contain_text("Asked. It is stored")
    await screen.page.locator("#kill").click()
    await expect(screen.server).to_contain_text("killed")
    for channel in ("slack", "teams", "mail"):
        await screen.turn(channel, "Working")
    await expect(screen.slack.get_by_role("button", name="Approve")).to_be_visible(timeout=45_000)


async def test_a_late_second_answer_changes_nothing(screen: Screen) -> None:
    await screen.play(BLOCKED)
    async with screen.page.expect_popup() as opened:
        await screen.mail.get_by_role("link", name="Review and decide").click()
    decision = await opened.value
    await expect(decision.get_by_role("button", name="Approve")).to_be_visible()
    await screen.press(screen.slack, "Keep blocked")
    await expect(screen.agent).to_contain_text("It stays blocked")
    await decision.get_by_role("button", name="Approve").click()
    await expect(decision.locator("main")).to_contain_text("Kept blocked by Ana Lima")
