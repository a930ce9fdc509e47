"""Whether people's answers come back: what came in is the only evidence, and every state of it has its words."""

from pathlib import Path

import pytest

from bot.dispatch.notice import Unknown
from bot.doctor.examination import examine, examine_answers
from bot.doctor.round_trip import NOTHING_CAME, end
from bot.thresholds import Draft
from tests.doctor.examined import answers, begun, delivered, ended, failing, followed, patient_of
from tests.stories.reach import at_rest
from tests.stories.world import ANA, BEN, Platforms, World, installed

WRONG_SECRET = "0123456789abcdef0123456789abcdef"


async def ask_ana(world: World) -> None:
    await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    await at_rest(world)


async def ana_presses(world: World, label: str = "Approve") -> None:
    await world.slack.dm(ANA).click(label)
    await world.settled()


async def test_before_anything_came_in_it_says_how_to_find_out(world: World) -> None:
    calls, clicks = await answers(world, "Calls"), await answers(world, "Answers")
    assert (calls.ok, calls.cause) == (True, "Slack has not called this server yet")
    assert clicks.cause == "no card with buttons was sent yet"
    assert "Press Round trip" in clicks.mend


async def test_cards_with_buttons_and_no_click_are_something_to_look_at(world: World) -> None:
    await ask_ana(world)
    clicks = await answers(world, "Answers")
    assert (clicks.ok, clicks.cause) == (
        True,
        "one card with buttons went out, and nobody's click has come back yet",
    )
    assert "Press Round trip" in clicks.mend
    assert f"Interactivity on, give it the Request URL {world.address}/slack/events" in clicks.mend


async def test_a_click_that_came_back_is_told_with_its_time(world: World) -> None:
    await ask_ana(world)
    await ana_presses(world)
    calls, clicks = await answers(world, "Calls"), await answers(world, "Answers")
    assert (clicks.mend, clicks.cause.startswith("the last click came in on ")) == ("", True)
    assert calls.cause.startswith("Slack called last on ")
    assert calls.cause.endswith("and the call was genuine")


async def test_teams_has_a_way_back_of_its_own(world: World) -> None:
    calls = await answers(world, "Calls", "Microsoft Teams")
    assert calls.cause.startswith("Microsoft Teams called last on ")
    await world.ask_blocked(to=[BEN])
    await world.shown_to_ben("Keep blocked")
    await at_rest(world)
    clicks = await answers(world, "Answers", "Microsoft Teams")
    assert f"the messaging endpoint must be {world.address}/api/messages" in clicks.mend


async def test_a_wrong_secret_is_counted_and_named(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, SLACK_SIGNING_SECRET=WRONG_SECRET) as world:
        await ask_ana(world)
        await ana_presses(world)
        await ana_presses(world, "Keep blocked")
        [(_, calls)] = await failing(world)
    assert calls.cause.startswith(("one call of Slack was refused on ", "2 calls of Slack were refused since "))
    assert calls.cause.endswith("SLACK_SIGNING_SECRET is wrong, Slack signs with another one. None was ever genuine.")
    assert "Signing Secret" in calls.mend
    assert WRONG_SECRET not in str(calls)


async def test_once_the_secret_was_changed_it_is_not_called_wrong_any_more(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, SLACK_SIGNING_SECRET="") as world:
        save = world.product.settings.save
        await save({"SLACK_SIGNING_SECRET": WRONG_SECRET}, "cli")
        await ask_ana(world)
        await ana_presses(world)
        before = await answers(world, "Calls")
        await save({"SLACK_SIGNING_SECRET": world.slack.signing_secret}, "cli")
        after = await answers(world, "Calls")
    assert (before.ok, after.ok) == (False, True)
    assert "The settings were changed since" in after.cause
    assert "Press Round trip" in after.mend


async def test_a_call_that_holds_ends_the_matter(world: World) -> None:
    await world.slack.deliver(b"{}", secret=WRONG_SECRET)
    await world.settled()
    before = await answers(world, "Calls")
    await world.slack.verify_url()
    await world.settled()
    after = await answers(world, "Calls")
    assert (before.ok, after.ok) == (False, True)


async def test_the_last_round_trip_is_told(world: World) -> None:
    trip = await delivered(world)
    waiting, clicks = await answers(world, "Round trip"), await answers(world, "Answers")
    await ana_presses(world, "It works")
    await ended(world, trip.id)
    done = await answers(world, "Round trip")
    assert ("still under way" in waiting.cause, "Interactivity" in waiting.mend) == (True, True)
    assert clicks.mend == "See Round trip."
    assert (done.ok, done.cause.endswith("went all the way"), done.mend) == (True, True, "")


async def test_a_round_trip_on_which_nothing_came_in_is_told_until_a_click_comes_in(world: World) -> None:
    world.slack.events_url = None
    trip = await delivered(world)
    await end(world.product.dispatcher, trip.id, NOTHING_CAME, "operator:ana")
    [(part, check)] = await failing(world)
    assert (part, check.name) == ("Answers from Slack", "Round trip")
    assert f"ended at “Clicked”: {NOTHING_CAME}" in check.cause
    assert "switch Interactivity on" in check.mend
    world.platforms.call_back(world.address)
    await ask_ana(world)
    await ana_presses(world)
    assert await failing(world) == []


async def test_a_round_trip_that_nobody_pressed_in_time_is_something_to_know(world: World) -> None:
    trip = await delivered(world)
    await end(world.product.dispatcher, trip.id, "No answer came in within 8 seconds.", "cli")
    told = await answers(world, "Round trip")
    assert (told.ok, "nobody pressed a button in time" in told.cause) == (True, True)
    assert "switch Interactivity on" in told.mend


async def test_where_slacks_other_calls_come_in_only_the_clicks_go_elsewhere(world: World) -> None:
    trip = await delivered(world)
    assert "the platform could not call us" in (await answers(world, "Round trip")).mend
    await world.slack.verify_url()
    await world.settled()
    await end(world.product.dispatcher, trip.id, NOTHING_CAME, "operator:ana")
    assert "other calls do come in, so only the clicks go elsewhere" in (await answers(world, "Round trip")).mend


async def test_a_round_trip_that_was_not_delivered_is_left_to_the_checks_that_ask(
    platforms: Platforms, data: Path
) -> None:
    async with installed(platforms, data, SLACK_BOT_TOKEN="xoxb-1-2-wrong") as world:
        await ended(world, await begun(world))
        names = [check.name for _, check in await failing(world)]
        told = await answers(world, "Round trip")
    assert names == ["Bot token"]
    assert (told.ok, "ended at “Delivered”" in told.cause) == (True, True)


async def test_a_channel_that_is_not_set_up_says_nothing(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, SLACK_BOT_TOKEN="", CHAIN="email") as world:
        parts = await examine_answers(patient_of(world))
    assert "Answers from Slack" not in [part.title for part in parts]


async def test_channels_are_called_what_people_call_them(world: World) -> None:
    [chain] = [check for part in await examine(patient_of(world)) for check in part.checks if check.name == "Chain"]
    assert chain.cause == "people are told through Slack, then Microsoft Teams, then E-mail"


async def test_a_threshold_without_a_room_is_something_to_do(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, SMTP_TO="") as world:
        await world.thresholds.add(Draft(limit=5), by="cli")
        told = [check for part in await examine(patient_of(world)) for check in part.checks]
    [found] = [check for check in told if check.name == "Thresholds"]
    assert (found.ok, found.cause) == (True, "one threshold has no room, so nobody is told of it")
    assert "SLACK_CHANNEL or SMTP_TO" in found.mend


async def test_no_other_question_can_be_ended_as_a_round_trip(world: World) -> None:
    asked = await world.ask_blocked(to=[ANA])
    with pytest.raises(Unknown):
        await followed(world, asked["id"])
