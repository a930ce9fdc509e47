"""Every class of event from the call of its producer to the words that a person reads."""

from pathlib import Path
from typing import Any

import pytest

from bot.keys import Scope
from tests.stories.reach import at_rest, reached
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed

CLASSES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "oauth.refresh_failed": (
        {"service": "GitHub", "user": "dana@example.com", "error": "invalid_grant"},
        ("GitHub", "dana@example.com", "invalid_grant", "sign in to GitHub again"),
    ),
    "connection.broken": (
        {"connection": "jira-eu", "error": "connection refused"},
        ("jira-eu", "connection refused", "Check that jira-eu runs"),
    ),
    "policy.blocked": (
        {"policy": "no-exports", "agent": "Archivist", "tool": "drive.export", "reason": "too many rows"},
        ("no-exports", "Archivist", "drive.export", "too many rows", "change the policy"),
    ),
    "destructive_action.blocked": (
        {"agent": "Archivist", "tool": "drive.delete", "user": "dana@example.com"},
        ("Archivist", "drive.delete", "dana@example.com", "Nothing was done"),
    ),
    "pii.redaction_warning": (
        {"tool": "crm.search", "user": "dana@example.com", "kinds": ["IBAN"], "count": 3},
        ("crm.search", "IBAN", "3 pieces", "Find out why the data was sent"),
    ),
    "audit.anomaly": (
        {"finding": "forty logins in a minute", "user": "dana@example.com"},
        ("forty logins in a minute", "Ask dana@example.com whether"),
    ),
}
CROSSED = {"user": "dana@example.com", "tool": "crm.search", "window": "1h", "count": 1200, "limit": 1000}
ASKS = {"agent": "Archivist", "tool": "drive.delete", "decision": {"operators": [ANA, BEN]}}


# ---- what is said --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", CLASSES)
async def test_it_says_who_and_what_and_what_to_do(world: World, type_: str) -> None:
    context, words = CLASSES[type_]
    assert (await world.tell(type_, "Look at this", context=context)).status == 202
    for each in words:
        await world.shown_to_ana(each)


async def test_without_what_its_type_needs_an_event_is_refused_by_name(world: World) -> None:
    refused = await world.tell("oauth.refresh_failed", context={"service": "GitHub", "user": "dana@example.com"})
    assert refused.status == 422
    assert "context.error" in refused["detail"]


@pytest.mark.parametrize("type_", [*CLASSES, "throughput.threshold", "our.own"])
async def test_each_can_be_switched_off(platforms: Platforms, data: Path, type_: str) -> None:
    context = CLASSES.get(type_, (CROSSED, ()))[0]
    async with installed(platforms, data, install_teams=False, EVENTS_DISABLED=f"other.event,{type_}") as world:
        told = await world.tell(type_, context=context)
        await at_rest(world)
        assert (told["result"], told["reason"].split(":")[0]) == ("suppressed", "disabled")
        assert not world.slack.dm(ANA).messages


async def test_with_alerting_off_nobody_is_told_and_questions_are_still_asked(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, ALERTING_ENABLED="off") as world:
        assert (await world.tell("demo.event", "Something happened"))["result"] == "suppressed"
        await world.ask_blocked(to=[ANA])
        await world.shown_to_ana("Keep blocked")
        assert len(world.slack.dm(ANA).messages) == 1


# ---- rooms ---------------------------------------------------------------------------------------------------------


async def test_a_crossed_threshold_is_told_to_the_slack_channel_and_to_nobody_alone(
    platforms: Platforms, data: Path
) -> None:
    room = platforms.slack.add_channel("ops", [ANA])
    async with installed(platforms, data, install_teams=False, SLACK_CHANNEL=room.id) as world:
        await world.tell("throughput.threshold", context=CROSSED)
        await room.wait_for("1,200 times")
        assert await alone(world) == []


async def test_without_slack_the_room_is_the_teams_channel_where_the_bot_was_added(
    platforms: Platforms, data: Path
) -> None:
    room = platforms.teams.add_channel("Alerts", [BEN])
    async with installed(platforms, data, SLACK_BOT_TOKEN="", SLACK_SIGNING_SECRET="") as world:
        await room.install(by=BEN)
        await world.tell("throughput.threshold", context=CROSSED)
        await room.wait_for("1,200 times")
        assert await alone(world) == []


async def test_without_chat_the_room_is_the_mail_list(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, CHAIN="email") as world:
        await world.tell("throughput.threshold", context=CROSSED)
        letters = await world.mail.wait_for(1, to="room@example.com")
        assert "1,200 times" in letters[0].subject
        assert await alone(world) == []


async def alone(world: World) -> list[str]:
    """Where somebody was told of it in a place of their own, once nothing more is on its way."""
    await at_rest(world)
    return [channel for who in (ANA, BEN, MIA) for channel in reached(world, "1,200 times", who)]


# ---- who is told ---------------------------------------------------------------------------------------------------


async def test_without_a_named_recipient_the_first_admin_is_told(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, ALERT_RECIPIENT_EMAIL="") as world:
        await world.tell("demo.event", "Something happened")
        await world.shown_to_ana("Something happened")


async def test_a_named_recipient_is_told_instead_of_the_first_admin(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, ALERT_RECIPIENT_EMAIL=BEN) as world:
        await world.tell("demo.event", "Something happened")
        await world.shown_to_ben("Something happened")
        assert not world.slack.dm(ANA).messages


# ---- an event that asks --------------------------------------------------------------------------------------------


async def test_a_blocked_action_that_asks_is_decided_like_any_question(world: World) -> None:
    told = await world.tell("destructive_action.blocked", context=ASKS)
    await world.shown_to_ben("Keep blocked")
    await world.shown_to_ana("Keep blocked")
    await world.slack.dm(ANA).click("Approve")
    assert (await world.end_of(told["interaction_id"]))["decision"]["choice"] == "approve"
    await world.shown_to_ben("Approved by Ana")


async def test_an_event_that_asks_is_never_held_back_as_a_repetition(world: World) -> None:
    first = await world.tell("destructive_action.blocked", context=ASKS)
    second = await world.tell("destructive_action.blocked", context=ASKS)
    assert first["interaction_id"] != second["interaction_id"]


async def test_a_key_that_may_only_report_cannot_ask_through_an_event(world: World) -> None:
    key = await world.key_for(Scope.EVENTS_WRITE)
    body = {"type": "destructive_action.blocked", "summary": "Stopped", "context": ASKS}
    refused = await world.call("POST", "/api/v1/events", body, key=key)
    assert (refused.status, "interactions:write" in refused["detail"]) == (403, True)
    assert not (await world.call("GET", "/api/v1/interactions"))["items"]


async def test_the_same_key_reports_what_asks_nothing(world: World) -> None:
    key = await world.key_for(Scope.EVENTS_WRITE)
    context = {"agent": "Archivist", "tool": "drive.delete"}
    body = {"type": "destructive_action.blocked", "summary": "Stopped", "context": context}
    assert (await world.call("POST", "/api/v1/events", body, key=key)).status == 202


async def test_an_event_cannot_have_an_inner_address_called(platforms: Platforms, data: Path) -> None:
    asks = {**ASKS, "decision": {"operators": [ANA], "callback_url": "http://169.254.169.254/latest"}}
    async with installed(platforms, data, install_teams=False) as world:
        refused = await world.tell("destructive_action.blocked", context=asks)
    assert (refused.status, refused["errors"][0]["field"]) == (422, "context.decision.callback_url")


@pytest.mark.parametrize("expires_in", [1e300, 0, -1, 32 * 86400])
async def test_an_event_cannot_ask_for_ever_or_into_the_past(world: World, expires_in: float) -> None:
    asks = {**ASKS, "decision": {"operators": [ANA], "expires_in": expires_in}}
    assert (await world.tell("destructive_action.blocked", context=asks)).status == 422


WRONG_DECISIONS = (
    ({"operators": [ANA, "nobody@example.com"]}, "context.decision.operators[1]"),
    ({"operators": [ANA], "approvals": 2}, "context.decision.approvals"),
    ({"operators": [ANA], "expires_in": -1}, "context.decision.expires_in"),
    ({"operators": [ANA], "callback_url": "http://10.0.0.1/"}, "context.decision.callback_url"),
)


@pytest.mark.parametrize("decision, field", WRONG_DECISIONS, ids=[field for _, field in WRONG_DECISIONS])
async def test_a_wrong_decision_is_named_as_it_was_written_and_nothing_of_its_list_is_stored(
    world: World, decision: dict[str, Any], field: str
) -> None:
    wrong = {"type": "destructive_action.blocked", "summary": "x", "context": {**ASKS, "decision": decision}}
    alone = await world.call("POST", "/api/v1/events", wrong)
    behind = await world.call("POST", "/api/v1/events", [{"type": "demo.event", "summary": "Fine"}, wrong])
    assert [(each.status, each["errors"][0]["field"]) for each in (alone, behind)] == [
        (422, field),
        (422, f"[1].{field}"),
    ]
    assert await world.product.store.read(lambda tx: tx.rows("SELECT id FROM event")) == []
