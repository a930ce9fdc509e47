"""What is over for long goes by itself; what waits for an answer stays, and the audit log keeps what was done."""

from tests.stories.world import ANA, World


async def test_after_its_days_an_event_is_gone_a_pending_request_stays_and_the_audit_log_says_so(
    any_world: World,
) -> None:
    world = any_world
    await world.tell("disk.full", "The disk of db-1 is full")
    await world.shown_to_ana("The disk of db-1 is full")
    pending = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    await world.forward(hours=24 * 91)
    await world.until_written("records.removed")
    assert await events(world) == []
    assert (await world.see(pending["id"]))["status"] == "pending"


async def test_before_that_everything_is_there(any_world: World) -> None:
    world = any_world
    await world.tell("disk.full", "The disk of db-1 is full")
    await world.shown_to_ana("The disk of db-1 is full")
    await world.forward(hours=24 * 89)
    await world.tell("disk.full", "The disk of db-2 is full")
    await world.shown_to_ana("The disk of db-2 is full")
    assert await events(world) == ["The disk of db-1 is full", "The disk of db-2 is full"]


async def events(world: World) -> list[str]:
    rows = await world.product.store.read(lambda tx: tx.rows("SELECT summary FROM event ORDER BY id"))
    return [row["summary"] for row in rows]
