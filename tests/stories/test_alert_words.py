"""An alert is recognised as one before it is read: in Slack, in Teams and in a list of mails."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.world import ANA, BEN, MIA, Answered, Platforms, World, installed

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
JIRA: dict[str, Any] = {
    "severity": "high",
    "source": "gateway-1",
    "context": {"connection": "Jira"},
    "occurred_at": AT.isoformat(),
}


async def jira_is_away(world: World, **changed: Any) -> Answered:
    return await world.tell("connection.broken", "Jira does not answer", **{**JIRA, **changed})


async def shown_in_slack(world: World, text: str) -> str:
    await world.shown_to_ana(text)
    return world.slack.dm(ANA).last.shown_text()


@pytest.mark.parametrize("words", ["MCP Alert: Jira cannot be reached", "*Severity*\nHigh", "*Server*\ngateway-1"])
async def test_in_slack_it_has_title_severity_and_server(world: World, words: str) -> None:
    await jira_is_away(world)
    assert words in await shown_in_slack(world, "Jira")


async def test_in_slack_it_says_when_it_happened(world: World) -> None:
    await jira_is_away(world)
    await world.shown_to_ana("Jira")
    assert f"Happened <!date^{int(AT.timestamp())}^" in str(world.slack.dm(ANA).last.attachments)


async def test_without_a_moment_of_its_producer_it_happened_when_it_was_told(world: World) -> None:
    now = int(world.product.clock.now().timestamp())
    await jira_is_away(world, occurred_at=None)
    await world.shown_to_ana("Jira")
    shown = str(world.slack.dm(ANA).last.attachments).partition("Happened <!date^")[2].partition("^")[0]
    assert 0 <= int(shown) - now < 60


async def test_it_goes_to_the_configured_channel_where_it_is_meant_for_a_room(platforms: Platforms, data: Path) -> None:
    room = platforms.slack.add_channel("ops", [ANA])
    async with installed(platforms, data, install_teams=False, SLACK_CHANNEL=room.id) as world:
        crossed = {"user": "dana@example.com", "tool": "crm.search", "window": "1h", "count": 1200, "limit": 1000}
        await world.tell("throughput.threshold", context=crossed)
        await room.wait_for("MCP Alert: dana@example.com called crm.search")


async def test_in_a_mail_it_is_the_subject(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, CHAIN="email", ALERT_RECIPIENT_EMAIL=MIA) as world:
        await jira_is_away(world)
        letter = (await world.mail.wait_for(1, to=MIA))[0]
    assert letter.subject == "[HIGH] Alert: Jira cannot be reached"
    assert "Happened 20 November 2026, 09:30 UTC" in letter.text


@pytest.mark.parametrize("words", ["Jira does not answer", "Severity: High", "Server: gateway-1", "Connection: Jira"])
async def test_in_a_mail_it_has_words_severity_server_and_the_rest(
    platforms: Platforms, data: Path, words: str
) -> None:
    async with installed(platforms, data, install_teams=False, CHAIN="email", ALERT_RECIPIENT_EMAIL=MIA) as world:
        await jira_is_away(world)
        letter = (await world.mail.wait_for(1, to=MIA))[0]
    assert words in letter.text


async def test_in_teams_it_is_the_title(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, ALERT_RECIPIENT_EMAIL=BEN) as world:
        await jira_is_away(world)
        await world.shown_to_ben("Alert: Jira cannot be reached")


async def test_the_end_of_it_is_no_alert(world: World) -> None:
    await jira_is_away(world)
    await jira_is_away(world, status="resolved")
    shown = await shown_in_slack(world, "Resolved: Jira cannot be reached")
    assert "Alert" not in shown


async def test_a_question_is_not_called_one(world: World) -> None:
    await world.ask_blocked([ANA])
    assert "Alert" not in await shown_in_slack(world, "Keep blocked")
