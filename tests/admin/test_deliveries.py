"""Deliveries: how each copy stands, every attempt, and a new copy by hand."""

from collections.abc import AsyncIterator

import pytest

from bot.admin import why
from bot.channels.contract import Reason
from bot.rehearsal.failure import error, status
from interactions.model import Role
from tests.admin.signed_in import Visiting, signed_in
from tests.stories.reach import at_rest
from tests.stories.test_strays import ended, left_behind
from tests.stories.world import ANA, BEN, MIA, World


@pytest.fixture
async def ben(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, BEN) as browser:
        yield browser


async def deliveries(world: World) -> list[str]:
    rows = await world.product.store.read(lambda tx: tx.rows("SELECT id FROM delivery ORDER BY id"))
    return [row["id"] for row in rows]


async def failed(world: World) -> str:
    """A copy for Mia that no channel took."""
    world.mail.fail(status(552))
    await world.ask_blocked(to=[MIA])
    await at_rest(world)
    return (await deliveries(world))[0]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    assert why.REFUSALS[reason]


async def test_a_failed_copy_tells_each_attempt(world: World, ben: Visiting) -> None:
    page = await ben.get(f"/admin/deliveries/{await failed(world)}")
    attempts = page.words.partition("Attempts")[2]
    story = [
        "is not known on Slack",
        "is not known on Microsoft Teams",
        "E-mail: not sent, it is more than the platform takes",
    ]
    assert [step in attempts for step in story] == [True, True, True]


async def words_of_the_only(world: World, browser: Visiting) -> str:
    return (await browser.get(f"/admin/deliveries/{(await deliveries(world))[0]}")).words


async def test_nobody_is_told_to_set_up_a_channel_that_this_version_does_not_have(world: World, ben: Visiting) -> None:
    await left_behind(world, "The disk is full", "pager")
    await world.forward(minutes=11)
    await ended(world)
    words = await words_of_the_only(world, ben)
    assert ("Not told: this version has no channel “pager”." in words, "set it up" in words) == (True, False)


async def test_where_such_a_channel_ends_a_chain_each_refusal_is_told(world: World, ben: Visiting) -> None:
    world.mail.fail(status(552))
    await left_behind(world, "The disk is full", "email", "pager")
    await world.forward(minutes=11)
    await ended(world)
    words = await words_of_the_only(world, ben)
    told = "Not told: no channel took it (" in words and "; pager is not part of this version)." in words
    assert (told, "set it up" in words) == (True, False)


async def test_a_copy_is_said_to_be_left_to_servers_of_the_version_that_has_its_channel(
    world: World, ben: Visiting
) -> None:
    await left_behind(world, "The disk is full", "pager", "slack")
    words = await words_of_the_only(world, ben)
    assert "Not told yet: this version has no channel “pager”. A server of another version may still send it" in words


async def test_what_goes_on_past_such_a_channel_says_so(world: World, ben: Visiting) -> None:
    await left_behind(world, "The disk is full", "pager", "email")
    later = world.clock.now().timestamp() + 3600
    sql = (
        "UPDATE delivery SET step = 1, channel = 'email', due_at = :later, tries = 1, reason = 'not_set_up',"
        " detail = 'pager is not part of this version'"
    )
    await world.product.store.write(lambda tx: tx.run(sql, {"later": later}))
    words = await words_of_the_only(world, ben)
    assert "this version has no channel “pager”, so it goes to the next one of its chain by itself." in words


async def test_a_copy_that_lies_on_such_a_channel_says_why_it_stays_as_it_is(world: World, ben: Visiting) -> None:
    await world.tell("demo.event")
    await at_rest(world)
    sql = "UPDATE delivery SET chain = '[\"pager\"]', channel = 'pager', state = 'failed', reason = 'not_set_up'"
    await world.product.store.write(lambda tx: tx.run(sql))
    words = await words_of_the_only(world, ben)
    assert "could not be brought up to date: this version has no channel “pager”." in words


async def test_a_channel_of_this_version_that_is_not_set_up_can_be_set_up(world: World, ben: Visiting) -> None:
    await left_behind(world, "The disk is full", "pager", "webhook")
    await world.forward(minutes=11)
    await ended(world)
    assert "An admin can set it up under Notifications." in await words_of_the_only(world, ben)


async def test_what_waits_for_a_busy_platform_says_so(world: World, ben: Visiting) -> None:
    world.mail.fail(status(451))
    await world.ask_blocked(to=[MIA])
    await at_rest(world)
    words = (await ben.get(f"/admin/deliveries/{(await deliveries(world))[0]}")).words
    assert "Not told yet" in words
    assert "tried again by itself" in words


async def test_lists_are_narrowed_by_state_and_channel(world: World, ben: Visiting) -> None:
    await failed(world)
    await world.tell("demo.event")
    await at_rest(world)
    for query, expected in {
        "": 2,
        "?state=failed": 1,
        "?state=told": 1,
        "?state=waiting": 0,
        "?channel=email": 0,
        "?state=grouped": 0,
    }.items():
        page = await ben.get(f"/admin/deliveries{query}")
        assert page.html.count('<div class="item-top"><a href="/admin/deliveries/') == expected, query


async def test_a_new_copy_reaches_the_same_person_and_is_audited(world: World, ben: Visiting) -> None:
    await world.tell("demo.event", "Something happened")
    await at_rest(world)
    before = len(world.slack.dm(ANA).messages)
    page = await ben.post(f"/admin/deliveries/{(await deliveries(world))[0]}/resend")
    await world.until(lambda: len(world.slack.dm(ANA).messages) > before)
    assert "The copy for Ana" in page.words
    assert ("delivery.sent_again", f"operator:{await world.operator_id(BEN)}") in await world.audit()


async def test_a_copy_sent_again_shows_how_it_stands_now_and_can_be_answered(world: World, ben: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await at_rest(world)
    await ben.post(f"/admin/deliveries/{(await deliveries(world))[0]}/resend")
    await at_rest(world)
    await world.slack.dm(ANA).click("Approve")
    await world.settled()
    await at_rest(world)
    shown = ["Approved by Ana" in each.shown_text() for each in world.slack.dm(ANA).messages]
    assert (shown, (await world.see(asked["id"]))["status"]) == ([True, True], "decided")


async def test_what_is_still_being_sent_is_not_sent_twice(world: World, ben: Visiting) -> None:
    world.mail.fail(status(451))
    await world.ask_blocked(to=[MIA])
    await at_rest(world)
    page = await ben.post(f"/admin/deliveries/{(await deliveries(world))[0]}/resend")
    assert ("Nothing was sent" in page.words, len(await deliveries(world))) == (True, 1)


async def test_a_caller_is_told_again_only_of_an_end(world: World, ben: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA], callback_url=world.caller.url)
    await world.shown_to_ana("Keep blocked")
    sql = "SELECT id FROM delivery WHERE reader_kind = 'caller' ORDER BY id"
    copy = (await world.product.store.read(lambda tx: tx.rows(sql)))[0]["id"]
    assert "nothing to tell the caller" in (await ben.post(f"/admin/deliveries/{copy}/resend")).words
    await world.call("POST", f"/api/v1/interactions/{asked['id']}/withdraw")
    await world.caller.wait_for(1)
    await at_rest(world)
    await ben.post(f"/admin/deliveries/{copy}/resend")
    calls = await world.caller.wait_for(2)
    assert [each.json["status"] for each in calls] == ["withdrawn", "withdrawn"]


async def test_a_viewer_sends_nothing(world: World) -> None:
    copy = await failed(world)
    await world.operators.change(await world.operator_id(MIA), role=Role.VIEWER, by="cli")
    async with await signed_in(world, MIA) as browser:
        assert "/resend" not in (await browser.get(f"/admin/deliveries/{copy}")).html
        answer = await browser.post(f"/admin/deliveries/{copy}/resend", follow=False)
    assert (answer.status, len(await deliveries(world))) == (403, 1)


async def test_a_platforms_answer_is_shown_without_secrets(world: World, ben: Visiting) -> None:
    world.slack.fail(error("invalid_auth"), path="chat.postMessage")
    await world.tell("demo.event")
    await at_rest(world)
    sql = "UPDATE attempt SET detail = 'said xoxb-1234567890-abcdefghij'"
    await world.product.store.write(lambda tx: tx.run(sql))
    page = await ben.get(f"/admin/deliveries/{(await deliveries(world))[0]}")
    assert ("said •••" in page.words, "xoxb-" in page.html) == (True, False)
