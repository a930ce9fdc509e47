"""An agent that is in doubt asks again under the same key: it is the same question, whatever has changed since."""

from tests.stories.world import ANA, BEN, World


async def test_a_question_is_found_again_by_its_key_when_whoever_was_asked_is_gone(world: World) -> None:
    first = await world.ask_blocked([ANA, BEN], idempotency_key="run-1")
    await world.operators.remove(await world.operator_id(BEN), by="cli")
    again = await world.ask_blocked([ANA, BEN], idempotency_key="run-1")
    assert (again.status, again.body.get("id")) == (200, first["id"])


async def test_another_question_under_its_key_is_refused_as_such_when_whoever_was_asked_is_gone(world: World) -> None:
    await world.ask_blocked([ANA, BEN], idempotency_key="run-1")
    await world.operators.remove(await world.operator_id(BEN), by="cli")
    again = await world.ask_blocked([BEN], idempotency_key="run-1")
    assert (again.status, "idempotency key" in str(again.body)) == (409, True)
