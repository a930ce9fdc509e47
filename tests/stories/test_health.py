"""How a channel is, by its own real answers: what is broken is shown, told once, and mends itself."""

from pathlib import Path

from bot.rehearsal.failure import error, status
from tests.stories.process import serving
from tests.stories.reach import at_rest, reached, told_of
from tests.stories.world import ANA, Platforms, World

BROKEN = "Slack does not take our messages"


async def _state(world: World) -> str:
    return str(world.product.dispatcher.health()["slack"].condition)


async def test_a_revoked_token_is_shown_as_broken_and_the_admin_is_told_on_the_next_channel(everywhere: World) -> None:
    world = everywhere
    world.slack.fail(error("token_revoked"))
    await told_of(world)
    await world.teams.chat(ANA).wait_for(BROKEN)
    assert world.teams.chat(ANA).open_url("Open Notifications").endswith("/admin/notifications#slack")
    assert await _state(world) == "broken"
    assert "refuses our credentials" in await world.product.dispatcher.status_words()


async def test_the_admin_is_told_once_however_often_it_is_refused(everywhere: World) -> None:
    world = everywhere
    world.slack.fail(error("token_revoked"))
    for number in range(5):
        await told_of(world, f"Event {number}")
    await world.teams.chat(ANA).wait_for(BROKEN)
    await at_rest(world)
    assert reached(world, BROKEN) == ["teams"]


async def test_it_recovers_by_itself_with_the_first_success_and_a_new_break_is_told_again(everywhere: World) -> None:
    world = everywhere
    broken = world.slack.fail(error("token_revoked"))
    await told_of(world, "The first")
    world.slack.heal(broken)
    assert await told_of(world, "The second") == ["slack"]
    assert await _state(world) == "ready"
    world.slack.fail(error("token_revoked"))
    await told_of(world, "The third")
    await world.until(lambda: len(reached(world, BROKEN)) == 2, "a second word about Slack")


async def test_an_outage_is_no_broken_channel_and_the_admin_is_not_disturbed(everywhere: World) -> None:
    world = everywhere
    world.slack.fail(status(503))
    await told_of(world)
    await at_rest(world)
    assert await _state(world) == "failing"
    assert reached(world, BROKEN) == []


async def test_a_broken_channel_is_counted_until_it_works(everywhere: World) -> None:
    world = everywhere
    line = 'gatebell_channel_broken{channel="slack"} '
    broken = world.slack.fail(error("token_revoked"))
    await told_of(world, "The first")
    assert f"{line}1.0" in world.product.metrics.text().decode()
    world.slack.heal(broken)
    await told_of(world, "The second")
    assert f"{line}0.0" in world.product.metrics.text().decode()


async def test_what_was_broken_before_a_restart_is_told_once_and_recovers_after_it(
    platforms: Platforms, data: Path
) -> None:
    async with serving(platforms, data, CHAIN="slack,email") as process:
        platforms.slack.fail(error("token_revoked"))
        await process.tell("The first")
        await platforms.mail.wait_for(2, to=ANA)
        await process.stop()
        await process.start()
        assert await process.metric('gatebell_channel_broken{channel="slack"}') == 1
        await process.tell("The second")
        letters = await platforms.mail.wait_for(3, to=ANA)
        assert len([each for each in letters if BROKEN in each.text]) == 1
        platforms.slack.heal()
        await process.tell("The third")
        await platforms.slack.dm(ANA).wait_for("The third")
        await process.until_rows("SELECT state FROM channel_health", [{"state": "ready"}])
