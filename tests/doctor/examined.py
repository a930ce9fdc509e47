"""What the doctor finds on a world."""

import asyncio
from collections.abc import Callable

from bot.channels.contract import Check
from bot.doctor.examination import Part, Patient, examine, examine_answers
from bot.doctor.round_trip import State, Trip, begin, follow
from bot.signing import derive
from tests.stories.world import ANA, World, a_moment


def patient_of(world: World) -> Patient:
    made = world.product
    settings = made.settings.now
    return Patient(settings, made.store, made.channels(), derive(settings.secret_key, "forms"), made.clock.now)


async def examined(world: World) -> list[Part]:
    patient = patient_of(world)
    return [*await examine(patient), *await examine_answers(patient)]


async def found(world: World, part: str, name: str) -> Check:
    """One line of it."""
    checks = {(each.title, check.name): check for each in await examined(world) for check in each.checks}
    assert (part, name) in checks, checks
    return checks[part, name]


async def failing(world: World) -> list[tuple[str, Check]]:
    return [(part.title, check) for part in await examined(world) for check in part.checks if not check.ok]


async def answers(world: World, name: str, of: str = "Slack") -> Check:
    """One line of what came back, which nobody has to be asked for."""
    parts = {part.title: part for part in await examine_answers(patient_of(world))}
    checks = {check.name: check for check in parts[f"Answers from {of}"].checks}
    assert name in checks, checks
    return checks[name]


async def begun(world: World, channel: str = "slack", who: str = ANA) -> str:
    made = world.product
    return await begin(made.dispatcher, made.store, who, channel, made.clock.now())


async def followed(world: World, trip_id: str) -> Trip:
    return await follow(world.product.store, world.product.channels(), trip_id, world.clock.now())


async def delivered(world: World) -> Trip:
    """A round trip whose card lies before Ana, as far as the product knows too."""
    return await _once(world, await begun(world), lambda trip: trip.hops[1].state is State.DONE)


async def ended(world: World, trip_id: str) -> Trip:
    return await _once(world, trip_id, lambda trip: trip.over)


async def _once(world: World, trip_id: str, it_is_so: Callable[[Trip], bool]) -> Trip:
    async with asyncio.timeout(10):
        while not it_is_so(trip := await followed(world, trip_id)):
            await a_moment()
    return trip
