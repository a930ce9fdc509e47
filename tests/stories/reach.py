"""Ana in all three places, and what lies before her there."""

import asyncio

from bot.rehearsal.slack_message import Message
from bot.rehearsal.teams_state import Posted
from tests.stories.world import ANA, World

CARD = "Read the manual"
CHANNELS = ("slack", "teams", "email")


async def in_all_three(world: World) -> World:
    """Ana is in Slack as always; now she has added the app in Teams too, and she reads her mail."""
    world.teams.add_person("Ana", ANA)
    await world.teams.chat(ANA).install()
    return world


async def at_rest(world: World, within: float = 10.0) -> None:
    """Return once nothing is due: what is still to be shown waits for its time."""
    async with asyncio.timeout(within):
        while await _due(world):
            await _a_moment()


async def _a_moment() -> None:
    await asyncio.sleep(0.01)


async def _due(world: World) -> int:
    sql = "SELECT COUNT(*) AS due FROM delivery WHERE state = 'open' AND shown < wanted AND due_at <= :now"
    now = world.product.clock.now().timestamp()
    row = await world.product.store.read(lambda tx: tx.row(sql, {"now": now}))
    return row["due"] if row else 0


def reached(world: World, text: str, who: str = ANA) -> list[str]:
    """Where these words stand before a person now, once for each message."""
    in_slack = [each for each in _slack_messages(world, who) if text in each.shown_text()]
    in_teams = [each for each in _teams_messages(world, who) if text in each.shown_text()]
    in_mail = [each for each in world.mail.of(who) if text in each.text or text in each.subject]
    return ["slack"] * len(in_slack) + ["teams"] * len(in_teams) + ["email"] * len(in_mail)


def _slack_messages(world: World, who: str) -> list[Message]:
    return world.slack.dm(who).messages if world.slack.state.by_email(who) else []


def _teams_messages(world: World, who: str) -> list[Posted]:
    known = any(each.email == who for each in world.teams.state.people.values())
    return world.teams.chat(who).messages if known else []


async def told_of(world: World, summary: str = CARD, **fields: object) -> list[str]:
    """Tell of something, and see where Ana is told."""
    answered = await world.tell("demo.event", summary, **fields)
    assert answered.status == 202, answered.body
    await at_rest(world)
    return reached(world, summary)
