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
        seen = await process.see(asked["id"], wait=10)
        assert seen["status"] == "expired"
        await platforms.slack.dm(ANA).wait_for("Expired without an answer")
        told = await platforms.caller.wait_for(1)
        assert [each.json["status"] for each in told] == ["expired"]


async def test_a_request_that_cannot_be_read_any_more_keeps_no_other_from_expiring(world: World, data: Path) -> None:
    broken = await world.ask_blocked(to=[ANA], expires_in=60)
    sound = await world.ask_blocked(to=[ANA], expires_in=61)
    change(data / "gatebell.db", "UPDATE interaction SET payload = '[' WHERE id = ?", broken["id"])
    await world.forward(minutes=2)
    assert (await world.see(sound["id"], wait=10))["status"] == "expired"
