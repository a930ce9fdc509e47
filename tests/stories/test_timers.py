"""What is due at a time happens once, also where nobody was running at that time."""

from pathlib import Path

from tests.stories.process import change, serving
from tests.stories.world import ANA, Platforms, World


async def test_a_request_that_ran_out_while_nobody_was_running_expires_once_at_start(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data) as process:
        asked = await process.ask_blocked(expires_in=3600, callback_url=platforms.caller.url)
        await platforms.slack.dm(ANA).wait_for("Keep blocked")
        await process.kill()
        change(data / "gatebell.db", "UPDATE timer SET due_at = due_at - 7200")
        change(data / "gatebell.db", "UPDATE interaction SET expires_at = expires_at - 7200")
        await process.start()
        seen = await process.end_of(asked["id"])
        assert seen["status"] == "expired"
        await platforms.slack.dm(ANA).wait_for("Expired without an answer")
        told = await platforms.caller.wait_for(1)
        assert [each.json["status"] for each in told] == ["expired"]


async def test_a_request_runs_out_on_every_kind_of_installation(any_world: World) -> None:
    asked = await any_world.ask_blocked([ANA], expires_in=60)
    await any_world.shown_to_ana("Keep blocked")
    await any_world.forward(seconds=61)
    assert (await any_world.end_of(asked["id"]))["status"] == "expired"
    await any_world.shown_to_ana("Expired without an answer")


async def test_a_request_that_cannot_be_read_any_more_keeps_no_other_from_expiring(world: World, data: Path) -> None:
    broken = await world.ask_blocked(to=[ANA], expires_in=60)
    sound = await world.ask_blocked(to=[ANA], expires_in=61)
    change(data / "gatebell.db", "UPDATE interaction SET payload = '[' WHERE id = ?", broken["id"])
    await world.forward(minutes=2)
    assert (await world.end_of(sound["id"]))["status"] == "expired"
    assert (await world.end_of(broken["id"]))["status"] == "expired"


async def test_a_request_that_cannot_be_read_any_more_is_still_listed_and_withdrawn(world: World, data: Path) -> None:
    broken = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    change(data / "gatebell.db", "UPDATE interaction SET kind = 'of_tomorrow' WHERE id = ?", broken["id"])
    listed = (await world.call("GET", "/api/v1/interactions"))["items"]
    assert [(each["id"], each["kind"], each["status"]) for each in listed] == [(broken["id"], "unreadable", "pending")]
    await world.withdraw(broken["id"])
    await world.slack.dm(ANA).wait_for("A request that cannot be read")
    assert (await world.see(broken["id"]))["status"] == "withdrawn"
