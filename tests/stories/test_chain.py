"""Slack, then Teams, then mail: the first that accepts is the only one that tells."""

from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.failure import Failure, error, garbage, http, reset, status
from tests.stories.reach import at_rest, in_all_three, reached, told_of
from tests.stories.world import ANA, MIA, Platforms, World, installed

NO_SLACK: dict[str, Any] = {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": ""}
NO_TEAMS: dict[str, Any] = {"TEAMS_APP_ID": "", "TEAMS_CLIENT_SECRET": "", "TEAMS_TENANT_ID": ""}
NO_MAIL: dict[str, Any] = {"SMTP_HOST": ""}


async def test_with_all_three_set_up_slack_alone_is_used(everywhere: World) -> None:
    assert await told_of(everywhere) == ["slack"]
    assert await everywhere.attempts() == [("slack", "send", "")]


@pytest.mark.parametrize(
    "missing, expected",
    [
        (NO_SLACK, "teams"),
        (NO_TEAMS, "slack"),
        (NO_SLACK | NO_TEAMS, "email"),
        (NO_TEAMS | NO_MAIL, "slack"),
        (NO_SLACK | NO_MAIL, "teams"),
    ],
    ids=["no slack", "no teams", "mail alone", "slack alone", "teams alone"],
)
async def test_a_channel_that_is_not_set_up_is_skipped(
    platforms: Platforms, data: Path, missing: dict[str, Any], expected: str
) -> None:
    async with installed(platforms, data, **missing) as world:
        if "TEAMS_APP_ID" not in missing:
            await in_all_three(world)
        assert await told_of(world) == [expected]
        assert [channel for channel, _, _ in await world.attempts()] == [expected]


SLACK_FAILS: dict[str, tuple[Failure, str]] = {
    "500": (status(500), "unavailable"),
    "503": (status(503), "unavailable"),
    "reset": (reset(), "unavailable"),
    "broken JSON": (garbage(), "unavailable"),
    "no object": (http(200, '"ok"'), "unavailable"),
    "channel_not_found": (error("channel_not_found"), "no_address"),
    "is_archived": (error("is_archived"), "refused"),
    "a code of next year": (error("brand_new_reason"), "refused"),
    "msg_blocks_too_long": (error("msg_blocks_too_long"), "too_large"),
    "invalid_auth": (error("invalid_auth"), "unauthorized"),
    "token_revoked": (error("token_revoked"), "unauthorized"),
    "account_inactive": (error("account_inactive"), "unauthorized"),
}


@pytest.mark.parametrize("failure, reason", SLACK_FAILS.values(), ids=SLACK_FAILS)
async def test_whatever_slack_refuses_teams_shows(everywhere: World, failure: Failure, reason: str) -> None:
    world = everywhere
    world.slack.fail(failure, path="chat.postMessage")
    assert await told_of(world) == ["teams"]
    mine = await world.attempts()
    assert mine[:2] == [("slack", "send", reason), ("teams", "send", "")]


async def test_the_chain_is_the_same_on_every_kind_of_installation(any_world: World) -> None:
    await in_all_three(any_world)
    any_world.slack.fail(status(500), path="chat.postMessage")
    any_world.teams.fail(status(502), part="connector")
    assert await told_of(any_world) == ["email"]
    assert [channel for channel, _, _ in await any_world.attempts()] == ["slack", "teams", "email"]


TEAMS_FAILS: dict[str, tuple[Failure, str]] = {
    "403 blocked": (error("ConversationBlockedByUser", status=403), "refused"),
    "404 gone": (error("ConversationNotFound", status=404), "gone"),
    "412": (status(412), "unavailable"),
    "502": (status(502), "unavailable"),
    "504": (status(504), "timed_out"),
    "413": (error("MessageSizeTooBig", status=413), "too_large"),
    "reset": (reset(), "unavailable"),
}
LOGIN_FAILS: dict[str, tuple[Failure, str]] = {
    "down": (status(503), "unavailable"),
    "cut off": (reset(), "unavailable"),
    "401": (error("AADSTS7000215"), "unauthorized"),
}


@pytest.mark.parametrize("failure, reason", TEAMS_FAILS.values(), ids=TEAMS_FAILS)
async def test_whatever_teams_refuses_after_slack_is_mailed(everywhere: World, failure: Failure, reason: str) -> None:
    world = everywhere
    world.slack.fail(status(500), path="chat.postMessage")
    world.teams.fail(failure, part="connector")
    assert await told_of(world) == ["email"]
    assert [each for each in await world.attempts() if each[0] == "teams"] == [("teams", "send", reason)]


@pytest.mark.parametrize("failure, reason", LOGIN_FAILS.values(), ids=LOGIN_FAILS)
async def test_without_microsofts_login_people_are_told_by_mail(
    everywhere: World, failure: Failure, reason: str
) -> None:
    world = everywhere
    world.slack.fail(status(500), path="chat.postMessage")
    world.teams.login.forget_tokens()
    world.teams.fail(failure, part="login")
    assert await told_of(world) == ["email"]
    assert [each for each in await world.attempts() if each[0] == "teams"] == [("teams", "send", reason)]


async def test_somebody_whom_slack_does_not_know_is_told_in_teams_and_no_other_is(everywhere: World) -> None:
    world = everywhere
    world.slack.fail(error("users_not_found"), path="users.lookupByEmail")
    assert await told_of(world) == ["teams"]


async def test_a_question_falls_back_too_and_its_answer_counts(everywhere: World) -> None:
    world = everywhere
    world.slack.fail(status(500))
    asked = await world.ask_blocked(to=[ANA])
    await world.teams.chat(ANA).wait_for("Keep blocked")
    await world.click_in_teams("Approve", by=ANA)
    assert (await world.end_of(asked["id"]))["decision"]["by"] == "Ana"


# ---- busy ----------------------------------------------------------------------------------------------------------


async def test_a_busy_slack_is_not_called_again_before_the_time_it_named(everywhere: World) -> None:
    world = everywhere
    limit = world.slack.fail(status(429, retry_after=30), path="chat.postMessage", to=ANA)
    assert await told_of(world, "The first", severity="low") == []
    assert await told_of(world, "The second", severity="low") == []
    assert limit.hits == 1


async def test_what_waited_for_a_busy_slack_is_shown_there_afterwards(everywhere: World) -> None:
    world = everywhere
    limit = world.slack.fail(status(429, retry_after=30), path="chat.postMessage", to=ANA)
    await told_of(world, "The first", severity="low")
    world.slack.heal(limit)
    await world.forward(seconds=31)
    await world.shown_to_ana("The first")
    assert reached(world, "The first") == ["slack"]


async def test_a_critical_one_does_not_wait_for_a_busy_slack(everywhere: World) -> None:
    world = everywhere
    world.slack.fail(status(429, retry_after=30), path="chat.postMessage", to=ANA)
    assert await told_of(world, severity="critical") == ["teams"]


async def test_a_critical_one_does_not_call_a_slack_that_asked_for_silence(everywhere: World) -> None:
    world = everywhere
    limit = world.slack.fail(status(429, retry_after=30), path="chat.postMessage", to=ANA)
    await told_of(world, "The first", severity="low")
    assert await told_of(world, "The house burns", severity="critical") == ["teams"]
    assert limit.hits == 1


async def test_a_busy_place_leaves_every_other_place_alone(everywhere: World) -> None:
    world = everywhere
    await world.operators.add("noor@example.com", "Noor", by="cli")
    world.slack.add_person("Noor", "noor@example.com")
    world.slack.fail(status(429, retry_after=30), path="chat.postMessage", to=ANA)
    await told_of(world, "The first", severity="low")
    await world.ask_blocked(to=["noor@example.com"])
    await world.slack.dm("noor@example.com").wait_for("Keep blocked")


async def test_an_update_too_keeps_the_silence_that_slack_asked_for(everywhere: World) -> None:
    world = everywhere
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Keep blocked")
    limit = world.slack.fail(status(429, retry_after=30), to=ANA)
    await told_of(world, "The first", severity="low")
    await world.withdraw(asked["id"])
    await at_rest(world)
    assert limit.hits == 1


async def test_a_busy_teams_is_waited_for_as_well(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, **NO_SLACK) as world:
        await in_all_three(world)
        limit = world.teams.fail(status(429, retry_after=30), path="/activities")
        assert await told_of(world, "The first", severity="low") == []
        world.teams.heal(limit)
        await world.forward(seconds=31)
        await world.teams.chat(ANA).wait_for("The first")
        assert limit.hits == 1


# ---- a webhook beside the three ------------------------------------------------------------------------------------


async def test_a_webhook_in_the_chain_is_told_where_nobody_else_takes_it(platforms: Platforms, data: Path) -> None:
    settings = NO_SLACK | {"CHAIN": "slack,webhook", "WEBHOOK_URL": platforms.caller.url}
    async with installed(platforms, data, **settings) as world:
        await world.tell("connection.broken", context={"connection": "Jira"}, severity="high")
        told = (await world.caller.wait_for(1))[0].json
        assert (told["severity"], told["metadata"]["title"]) == ("high", "Jira cannot be reached")


# ---- mail at the end -----------------------------------------------------------------------------------------------

MAIL_ALONE = NO_SLACK | NO_TEAMS


async def test_with_mail_alone_everybody_gets_everything(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, **MAIL_ALONE) as world:
        for number in range(30):
            await world.tell("demo.event", f"Event {number:02}")
        await world.ask_blocked(to=[MIA])
        await world.shown_to_mia()
        letters = await world.mail.wait_for(30, to=ANA)
        assert sorted(each.subject[-8:] for each in letters) == [f"Event {number:02}" for number in range(30)]


@pytest.mark.parametrize("code", [421, 451])
async def test_a_mail_that_is_refused_for_now_is_sent_again(platforms: Platforms, data: Path, code: int) -> None:
    async with installed(platforms, data, **MAIL_ALONE) as world:
        world.mail.fail(status(code), times=1)
        assert await told_of(world) == []
        await world.forward(seconds=10)
        assert len(await world.mail.wait_for(1, to=ANA)) == 1


async def test_a_mail_that_is_refused_for_good_is_not_sent_again(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, **MAIL_ALONE) as world:
        limit = world.mail.fail(status(552))
        await told_of(world)
        await world.forward(hours=1)
        await at_rest(world)
        assert limit.hits == 1
        assert await world.attempts() == [("email", "send", "too_large")]


async def test_a_mail_whose_fate_is_unclear_is_sent_again_as_the_same_mail(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, **MAIL_ALONE) as world:
        world.mail.fail(reset(late=True), times=1)
        await told_of(world)
        await world.forward(seconds=10)
        letters = await world.mail.wait_for(2, to=ANA)
        assert len({each.message_id for each in letters}) == 1
