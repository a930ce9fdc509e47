"""Whatever Slack does wrong has one meaning for the chain, and words that hold no secret."""

import pytest

from bot.channels import slack_web
from bot.channels.contract import DeliveryError, Reason
from bot.channels.slack_errors import REASONS, failed, refused
from bot.rehearsal.failure import Failure, error, garbage, hang, http, redirect, reset, status
from tests.channels.slack.world import ENDED, World, operator, post


async def failure_of(world: World, failure: Failure, path: str = "chat.postMessage") -> DeliveryError:
    world.slack.fail(failure, path=path)
    with pytest.raises(DeliveryError) as raised:
        await world.ask()
    assert world.slack.bot_token not in f"{raised.value!r} {raised.value.detail}"
    return raised.value


@pytest.mark.parametrize("code", REASONS)
async def test_every_code_has_its_reason_and_is_named(world: World, code: str) -> None:
    raised = await failure_of(world, error(code))
    assert raised.reason is REASONS[code][0]
    assert code in raised.detail


@pytest.mark.parametrize(
    "failure, reason",
    [
        (status(500), Reason.UNAVAILABLE),
        (status(502), Reason.UNAVAILABLE),
        (status(503), Reason.UNAVAILABLE),
        (reset(), Reason.UNAVAILABLE),
        (garbage(), Reason.UNAVAILABLE),
        (http(200, "[1, 2]", headers={"Content-Type": "application/json"}), Reason.UNAVAILABLE),
        (http(200, "null", headers={"Content-Type": "application/json"}), Reason.UNAVAILABLE),
        (http(200, "<html>", headers={"Content-Type": "text/html"}), Reason.UNAVAILABLE),
        (http(200, "fine", headers={"Content-Type": "text/plain"}), Reason.UNAVAILABLE),
        (http(200, "{}", headers={"Content-Type": "application/json; charset=nonsense"}), Reason.UNAVAILABLE),
        (http(404, "no"), Reason.UNAVAILABLE),
        (http(200, "[" * 100_000, headers={"Content-Type": "application/json"}), Reason.UNAVAILABLE),
        (http(500, '{"ok": false, "error": "invalid_auth"}', headers={"Content-Type": "application/json"}),
         Reason.UNAVAILABLE),
        (http(413, "too much"), Reason.TOO_LARGE),
        (http(400, '{"ok": false, "error": "invalid_auth"}', headers={"Content-Type": "application/json"}),
         Reason.UNAUTHORIZED),
        (error("a_code_of_tomorrow"), Reason.REFUSED),
        (error(""), Reason.UNAVAILABLE),
        (http(200, '{"ok": true}', headers={"Content-Type": "application/json"}), Reason.UNCLEAR),
    ],
    ids=repr,
)  # fmt: skip
async def test_nonsense_and_outages_have_a_reason(world: World, failure: Failure, reason: Reason) -> None:
    assert (await failure_of(world, failure)).reason is reason


async def test_a_rate_limit_is_handed_on_and_not_slept_on(world: World) -> None:
    raised = await failure_of(world, status(429, retry_after=30))
    assert (raised.reason, raised.retry_after) == (Reason.RATE_LIMITED, 30.0)
    assert len(world.called("chat.postMessage")) == 1


async def test_an_outage_says_how_long_it_lasts(world: World) -> None:
    assert (await failure_of(world, status(503, retry_after=30))).retry_after == 30.0


async def test_an_address_that_hangs_times_out(world: World) -> None:
    patient = slack_web.Web(world.slack.bot_token, world.slack.api_url, world.channel.edge.http,
                            world.channel.edge.now, seconds=0.2)  # fmt: skip
    world.slack.fail(hang(), path="chat.postMessage")
    with pytest.raises(DeliveryError) as raised:
        await patient.call("chat.postMessage", channel="C1", text="hello")
    assert raised.value.reason is Reason.TIMED_OUT


@pytest.mark.parametrize("failure", [status(500), status(503), reset()], ids=repr)
async def test_a_hiccup_is_tried_once_more(world: World, failure: Failure) -> None:
    world.slack.fail(failure, path="chat.postMessage", times=1)
    await world.ask()
    assert len(world.slack.dm("ana@example.com").messages) == 1


async def test_a_server_that_is_not_there_is_unavailable(world: World) -> None:
    await world.slack.stop()
    with pytest.raises(DeliveryError) as raised:
        await world.ask()
    assert raised.value.reason is Reason.UNAVAILABLE


async def test_a_redirect_is_not_followed(world: World) -> None:
    raised = await failure_of(world, redirect(f"{world.slack.origin}/api/api.test", status=307))
    assert raised.reason is Reason.UNAVAILABLE
    assert world.called("api.test") == []


async def test_a_missing_scope_is_named(world: World) -> None:
    answer = http(200, '{"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"}',
                  headers={"Content-Type": "application/json"})  # fmt: skip
    raised = await failure_of(world, answer)
    assert raised.reason is Reason.UNAUTHORIZED
    assert "chat:write" in raised.detail


@pytest.mark.parametrize("code", ["users_not_found", "missing_scope"])
async def test_a_look_up_fails_with_its_own_reason(world: World, code: str) -> None:
    raised = await failure_of(world, error(code), path="users.lookupByEmail")
    assert raised.reason is REASONS[code][0]


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_a_message_that_cannot_be_updated_is_gone(world: World, code: str) -> None:
    receipt = await world.ask()
    world.slack.fail(error(code), path="chat.update")
    with pytest.raises(DeliveryError) as raised:
        await world.channel.update(operator("ana@example.com"), receipt, post(ENDED))
    assert raised.value.reason is Reason.GONE


def test_a_code_that_is_no_code_is_not_repeated() -> None:
    assert "xoxb" not in refused("chat.postMessage", {"error": "xoxb-1-SECRET"}).detail
    assert "<" not in refused("chat.postMessage", {"error": "missing_scope", "needed": "<b>"}).detail


def test_only_what_passes_may_be_waited_for() -> None:
    assert failed("chat.postMessage", 200, {"ok": False, "error": "is_archived"}, 30.0).retry_after is None
    assert failed("chat.postMessage", 200, {"ok": False, "error": "ratelimited"}, 30.0).retry_after == 30.0
