"""Whatever was not sent has a stored reason: "why was I not told?" has an answer."""

from pathlib import Path
from typing import Any

from bot.rehearsal.failure import error, status
from tests.stories.reach import at_rest
from tests.stories.world import MIA, Platforms, World, installed


async def _stored(world: World) -> list[tuple[str, str]]:
    """(result, the first word of the reason) of every event, oldest first."""
    rows = await world.product.store.read(lambda tx: tx.rows("SELECT result, reason FROM event ORDER BY id"))
    return [(row["result"], row["reason"].partition(":")[0]) for row in rows]


async def _deliveries(world: World) -> list[tuple[str, str]]:
    rows = await world.product.store.read(lambda tx: tx.rows("SELECT state, reason FROM delivery ORDER BY id"))
    return [(row["state"], row["reason"]) for row in rows]


async def test_a_repetition_says_when_the_same_was_told(world: World) -> None:
    await world.tell("demo.event", "Something happened")
    again = await world.tell("demo.event", "Something happened")
    assert await _stored(world) == [("accepted", ""), ("deduplicated", "cooldown")]
    assert "within the last 60 minutes" in again["reason"]


async def test_a_switched_off_class_says_which_setting_holds_it_back(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, EVENTS_DISABLED="demo.event") as world:
        told = await world.tell("demo.event")
        assert await _stored(world) == [("suppressed", "disabled")]
        assert "EVENTS_DISABLED" in told["reason"]


async def test_without_anybody_to_tell_it_says_how_to_name_somebody(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, ALERT_RECIPIENT_EMAIL="") as world:
        await _nobody_left(world)
        told = await world.tell("demo.event")
        assert await _stored(world) == [("suppressed", "no_reader")]
        assert "Add yourself: gatebell operator add you@example.com --role admin" in told["reason"]


async def _nobody_left(world: World) -> None:
    await world.product.store.write(lambda tx: tx.run("UPDATE operator SET removed_at = 1"))


async def test_without_any_channel_in_the_chain_it_says_so_instead_of_failing(platforms: Platforms, data: Path) -> None:
    none: dict[str, Any] = {"CHAIN": "email", "MCPGATEWAY_ALERT_EMAIL_ENABLED": "off"}
    async with installed(platforms, data, install_teams=False, **none) as world:
        told = await world.tell("demo.event")
        assert (told.status, await _stored(world)) == (202, [("suppressed", "no_channel")])


async def test_every_refusal_on_the_way_is_a_row_with_its_channel_and_reason(world: World) -> None:
    world.slack.fail(error("is_archived"), path="chat.postMessage")
    world.mail.fail(status(552))
    await world.tell("demo.event")
    await at_rest(world)
    kept = await world.attempts()
    assert [(channel, reason) for channel, _, reason in kept] == [
        ("slack", "refused"),
        ("teams", "no_address"),
        ("email", "too_large"),
    ]
    assert await _deliveries(world) == [("failed", "too_large")]


async def test_every_refusal_keeps_what_its_platform_said(world: World) -> None:
    world.slack.fail(error("is_archived"), path="chat.postMessage")
    world.mail.fail(status(552))
    await world.tell("demo.event")
    await at_rest(world)
    kept = await world.product.store.read(lambda tx: tx.rows("SELECT channel, detail FROM attempt ORDER BY at, id"))
    said = {row["channel"]: row["detail"] for row in kept}
    assert ("is_archived" in said["slack"], "552" in said["email"]) == (True, True), said


async def test_a_question_that_reached_nobody_says_so_to_its_caller(world: World) -> None:
    world.mail.fail(status(552))
    asked = await world.ask_blocked(to=[MIA], callback_url=world.caller.url)
    seen = await world.end_of(asked["id"])
    states = {each["channel"]: each["state"] for each in seen["deliveries"] if each["channel"] != "callback"}
    assert (seen["status"], set(states.values())) == ("undeliverable", {"failed"})
    assert (await world.caller.wait_for(1))[0].json["status"] == "undeliverable"


async def test_what_is_told_together_says_in_which_message(world: World) -> None:
    events = [{"type": "demo.event", "summary": f"Event {number:03}", "severity": "low"} for number in range(100)]
    await world.call("POST", "/api/v1/events", events)
    await at_rest(world)
    await world.forward(seconds=30)
    await world.shown_to_ana("notices at once")
    together = [reason for state, reason in await _deliveries(world) if state == "grouped"]
    known = await world.product.store.read(lambda tx: tx.rows("SELECT ref FROM post"))
    assert together
    assert set(together) <= {row["ref"] for row in known}
