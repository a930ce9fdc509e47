"""Copies for a channel that an earlier version had: they come to a truthful end all the same."""

import asyncio

from bot.channels.contract import Reader, ReaderKind
from bot.dispatch import outbox
from bot.dispatch.outbox import NewDelivery, NewPost
from bot.ids import new_id
from bot.store import Tx
from interactions.card import Card
from tests.stories.world import ANA, Json, World


async def left_behind(world: World, title: str, *chain: str) -> None:
    """A copy for Ana, as another version has stored it."""
    at, ana = world.clock.now(), Reader(ReaderKind.OPERATOR, await world.operator_id(ANA))
    post = NewPost(new_id(at), Card(title), {})

    async def job(tx: Tx) -> None:
        await outbox.put_post(tx, post, at)
        await outbox.put_deliveries(tx, post, [NewDelivery(new_id(at), ana, chain)], at)

    await world.product.store.write(job)


async def ended(world: World) -> Json:
    """The only copy there is, once it waits no more."""
    async with asyncio.timeout(10):
        while True:
            [copy] = (await world.call("GET", "/api/v1/deliveries"))["items"]
            if copy["state"] != "waiting":
                return dict(copy)
            await asyncio.sleep(0.05)


async def test_what_waits_for_a_channel_of_before_is_shown_on_the_next_one(world: World) -> None:
    await left_behind(world, "The disk is full", "pager", "slack")
    await world.forward(minutes=11)
    await world.slack.dm(ANA).wait_for("The disk is full")


async def test_what_has_no_other_channel_is_listed_as_failed_with_the_reason(world: World) -> None:
    await left_behind(world, "The disk is full", "pager")
    await world.forward(minutes=11)
    copy = await ended(world)
    assert (copy["state"], copy["detail"]) == ("failed", "pager is not part of this version")
