"""A newcomer: from an empty folder to a message in Slack, Teams and the mailbox, and out of every usual mistake."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal.slack import SlackWorkspace
from tests.stories.newcomer import OLGA, Newcomer, arrived, mail_of, slack_of, teams_of
from tests.stories.world import Platforms

FIVE_MINUTES = 300.0
WRONG_SECRET = "0123456789abcdef0123456789abcdef"
WRONG_TENANT = "11111111-2222-4333-8444-555555555555"
CALLS_WRONG = "SLACK_SIGNING_SECRET is wrong, Slack signs with another one"
SECRETS_PAGE = (
    "Copy it again: https://api.slack.com/apps → your app → Basic Information → App Credentials → Signing Secret."
)
SWITCH_ON = "https://api.slack.com/apps → your app → Interactivity & Shortcuts: switch Interactivity on"


@pytest.fixture
async def olga(platforms: Platforms, tmp_path: Path) -> AsyncIterator[Newcomer]:
    """She has opened the printed link, and said where her server is reached."""
    async with arrived(platforms, tmp_path) as newcomer:
        await newcomer.become_admin()
        await newcomer.say_where_it_is_reached()
        await newcomer.tell_the_platforms_where_to_call()
        yield newcomer


# ---- without a mistake -------------------------------------------------------------------------------------------


async def test_from_the_printed_link_to_a_direct_message_in_slack(olga: Newcomer, platforms: Platforms) -> None:
    async with asyncio.timeout(FIVE_MINUTES):
        said = await olga.set_up("Slack", **slack_of(platforms))
        assert "Slack took the message after" in said
        await platforms.slack.dm(OLGA).wait_for("If you can read this, Olga, this channel works.")


async def test_from_the_printed_link_to_a_card_in_teams(olga: Newcomer, platforms: Platforms) -> None:
    async with asyncio.timeout(FIVE_MINUTES):
        said = await olga.set_up("Microsoft Teams", **teams_of(platforms))
        assert "the app was not added to any team or chat yet" in said
        assert "Upload the app package to Teams and add the app" in said
        await platforms.teams.chat(OLGA).install()
        said = (await olga.browser.press("Send a test by Microsoft Teams")).words
        assert "Microsoft Teams took the message after" in said
        await platforms.teams.chat(OLGA).wait_for("If you can read this, Olga, this channel works.")


async def test_from_the_printed_link_to_a_mail(olga: Newcomer, platforms: Platforms) -> None:
    async with asyncio.timeout(FIVE_MINUTES):
        said = await olga.set_up("E-mail", **mail_of(platforms))
        assert "E-mail took the message after" in said
        [letter] = await platforms.mail.wait_for(to=OLGA)
        assert "If you can read this, Olga, this channel works." in letter.text


async def test_all_three_and_the_ways_back_are_well_in_the_end(olga: Newcomer, platforms: Platforms) -> None:
    async with asyncio.timeout(FIVE_MINUTES):
        await olga.set_up("Slack", **slack_of(platforms))
        await olga.set_up("Microsoft Teams", **teams_of(platforms))
        await platforms.teams.chat(OLGA).install()
        await olga.set_up("E-mail", **mail_of(platforms))
        await olga.begin_round_trip("slack")
        await platforms.slack.dm(OLGA).wait_for("It works")
        await platforms.slack.dm(OLGA).click("It works")
        await olga.said("The way to you and back works.")
        await olga.begin_round_trip("teams")
        await platforms.teams.chat(OLGA).wait_for("It works")
        await platforms.teams.chat(OLGA).click("It works")
        await olga.said("The way to you and back works.")
        assert "Gatebell is ready" in (await olga.browser.open("/setup")).words
        assert "All is well. Checked" in await olga.health()
        assert (await olga.doctor()).startswith("exit 0 ")


# ---- with every usual mistake ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mistake:
    """What she copies wrongly, and what all three say of it: what is wrong, and what to do."""

    name: str
    channel: str
    wrong: dict[str, str]
    cause: str
    mend: str


MISTAKES = (
    Mistake(
        "a wrong token",
        "Slack",
        {"SLACK_BOT_TOKEN": "xoxb-1-2-wrong"},
        "auth.test: the bot token is not valid; copy it again from OAuth & Permissions (invalid_auth)",
        "https://api.slack.com/apps → your app → OAuth & Permissions → Bot User OAuth Token (xoxb-…).",
    ),
    Mistake(
        "a wrong tenant",
        "Microsoft Teams",
        {"TEAMS_TENANT_ID": WRONG_TENANT},
        "there is no such tenant: TEAMS_TENANT_ID is wrong (AADSTS90002)",
        "Correct it on the Microsoft Teams card; the right values are on the app's pages in Microsoft Entra.",
    ),
    Mistake(
        "a wrong port",
        "E-mail",
        {"SMTP_PORT": "1"},
        "the mail server cannot be reached",
        "Check SMTP_HOST and SMTP_PORT, and that this machine may connect there",
    ),
)
VALUES = {"Slack": slack_of, "Microsoft Teams": teams_of, "E-mail": mail_of}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
async def test_a_mistake_is_named_by_the_test_by_the_health_page_and_by_the_doctor(
    olga: Newcomer, platforms: Platforms, mistake: Mistake
) -> None:
    said = await olga.set_up(mistake.channel, **VALUES[mistake.channel](platforms, **mistake.wrong))
    health, doctor = await olga.health(), await olga.doctor()
    assert f"{mistake.channel} did not take the message: " in said
    for told in (said, health, doctor):
        assert mistake.cause in told
        assert mistake.mend in told
    assert doctor.startswith("exit 1 ")


async def test_a_missing_scope_is_named_by_all_three(olga: Newcomer, platforms: Platforms) -> None:
    async with SlackWorkspace(scopes=("chat:write",)) as slack:
        slack.add_person("Olga", OLGA)
        wrong = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
        said = await olga.set_up("Slack", **slack_of(platforms, **wrong))
        health, doctor = await olga.health(), await olga.doctor()
    assert "the app lacks the scope users:read.email; add it and install the app again" in said
    for told in (said, health, doctor):
        assert "The app lacks users:read, users:read.email." in told
        assert "OAuth & Permissions → Bot Token Scopes, then install the app again." in told


async def test_interactivity_that_is_off_is_named_by_the_round_trip_and_then_by_all(
    olga: Newcomer, platforms: Platforms
) -> None:
    platforms.slack.events_url = None
    await olga.set_up("Slack", **slack_of(platforms))
    await olga.press_round_trip("Slack")
    await platforms.slack.dm(OLGA).wait_for("It works")
    with pytest.raises(LookupError):  # Slack knows no address to call
        await platforms.slack.dm(OLGA).click("It works")
    await olga.said("I pressed it, and nothing happened")
    before = await olga.doctor()
    trip = (await olga.browser.press("I pressed it, and nothing happened")).words
    card = (await olga.browser.open("/admin/notifications")).words
    health, doctor = await olga.health(), await olga.doctor()
    assert "nobody's click has come back yet" in before
    assert "It failed at “Clicked”." in trip
    assert "Slack Answers do not come back" in card
    for told in (before, trip, card, health, doctor):
        assert SWITCH_ON in told
        assert f"give it the Request URL {olga.address}/slack/events" in told
    assert (before[:6], doctor[:6]) == ("exit 0", "exit 1")


async def test_a_wrong_signing_secret_is_named_by_the_round_trip_and_then_by_all(
    olga: Newcomer, platforms: Platforms
) -> None:
    await olga.set_up("Slack", **slack_of(platforms, SLACK_SIGNING_SECRET=WRONG_SECRET))
    await olga.press_round_trip("Slack")
    await platforms.slack.dm(OLGA).wait_for("It works")
    await platforms.slack.dm(OLGA).click("It works")
    trip = await olga.said(CALLS_WRONG)
    card = (await olga.browser.open("/admin/notifications")).words
    health, doctor = await olga.health(), await olga.doctor()
    assert "It failed at “Signature”." in trip
    assert "Slack Answers do not come back" in card
    for told in (trip, card, health, doctor):
        assert CALLS_WRONG in told
        assert SECRETS_PAGE in told
    assert doctor.startswith("exit 1 ")


async def test_after_the_mistake_was_mended_nothing_is_left_of_it(olga: Newcomer, platforms: Platforms) -> None:
    await olga.set_up("Slack", **slack_of(platforms, SLACK_SIGNING_SECRET=WRONG_SECRET))
    await olga.press_round_trip("Slack")
    await platforms.slack.dm(OLGA).wait_for("It works")
    await platforms.slack.dm(OLGA).click("It works")
    await olga.said("It failed at “Signature”.")
    await olga.set_up("Slack", **slack_of(platforms))
    assert "All is well. Checked" in await olga.health()
    assert (await olga.doctor()).startswith("exit 0 ")
