"""Ana in all three places, and what lies before her there."""

import re
from collections import Counter

from bot.rehearsal.slack_message import Message
from bot.rehearsal.teams_state import Posted
from tests.patience import until
from tests.stories.world import ANA, Platforms, World

CARD = "Read the manual"


async def in_all_three(world: World) -> World:
    """Ana is in Slack as always; now she has added the app in Teams too, and she reads her mail."""
    world.teams.add_person("Ana", ANA)
    await world.teams.chat(ANA).install()
    return world


async def at_rest(world: World) -> None:
    """Return once nothing is due: what is still to be shown waits for its time."""

    async def nothing_due() -> bool:
        sql = "SELECT id FROM delivery WHERE state = 'open' AND shown < wanted AND due_at <= :now"
        now = world.product.clock.now().timestamp()
        return await world.product.store.read(lambda tx: tx.row(sql, {"now": now})) is None

    await until(nothing_due, "everything that is due to be shown")


def reached(world: World, text: str, who: str = ANA) -> list[str]:
    """Where these words stand before a person now, once for each message."""
    in_slack = [each for each in _slack_messages(world, who) if text in each.shown_text()]
    in_teams = [each for each in _teams_messages(world, who) if text in each.shown_text()]
    in_mail = [each for each in world.mail.of(who) if text in each.text or text in each.subject]
    return ["slack"] * len(in_slack) + ["teams"] * len(in_teams) + ["email"] * len(in_mail)


def events_shown(platforms: Platforms) -> Counter[str]:
    """How many messages tell Ana of each numbered event ("Event 007"), in Slack or by mail."""
    shown = [each.shown_text() for each in platforms.slack.dm(ANA).messages]
    shown += [each.subject for each in platforms.mail.of(ANA)]
    return Counter(name for text in shown for name in set(re.findall(r"Event [\d-]+", text)))


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
