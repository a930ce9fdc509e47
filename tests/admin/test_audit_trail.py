"""What is done on the pages and by clicks is written down: one row for each thing, with names and never values."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.admin.access import LINK_LIVES, Purpose
from bot.keys import Scope
from tests.admin.signed_in import Visiting, access_of, signed_in
from tests.stories.world import ANA, BEN, CLEO, MIA, World

Act = Callable[[World, Visiting], Awaitable[None]]


@pytest.fixture
async def anas(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


async def operator_page(world: World, email: str) -> str:
    return f"/admin/operators/{await world.operator_id(email)}"


async def decide_in_slack(world: World, browser: Visiting) -> None:
    await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Approve")
    await world.slack.dm(ANA).click("Approve")
    await world.shown_to_ana("Approved by Ana")


async def decide_on_the_page(world: World, browser: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await browser.post(f"/admin/requests/{asked['id']}/decide", {"choice": "approve"})


async def click_as_an_outsider(world: World, browser: Visiting) -> None:
    await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Approve")
    await world.slack.dm(ANA).click("Approve", by=CLEO)
    await world.settled()


async def withdraw(world: World, browser: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await browser.post(f"/admin/requests/{asked['id']}/withdraw")


async def sign_in(world: World, browser: Visiting) -> None:
    secret = await access_of(world).link(await world.operator_id(ANA), Purpose.SIGN_IN, LINK_LIVES)
    async with Visiting(world) as another:
        await another.post_raw(f"/login/{secret}", {"seal": (await another.get("/login")).seal})


async def sign_in_with_a_link_that_is_none(world: World, browser: Visiting) -> None:
    async with Visiting(world) as stranger:
        form = {"seal": (await stranger.get("/login")).seal}
        await stranger.post_raw("/login/no-link-of-ours", form)


async def ask_for_a_link_as_nobody(world: World, browser: Visiting) -> None:
    async with Visiting(world) as stranger:
        form = {"seal": (await stranger.get("/login")).seal, "email": "nobody@example.com"}
        await stranger.post_raw("/login", form)
        await world.settled()


async def sign_out(world: World, browser: Visiting) -> None:
    await browser.post("/logout")


async def sign_somebody_out(world: World, browser: Visiting) -> None:
    async with await signed_in(world, BEN):
        await browser.post(f"{await operator_page(world, BEN)}/sessions/end-all")


async def save_a_setting(world: World, browser: Visiting) -> None:
    await browser.post("/admin/settings", {"AGENT_SECRET": "a value that nobody else may know"})


async def save_a_channel(world: World, browser: Visiting) -> None:
    await browser.post("/admin/notifications/channel/email", {"SMTP_PASSWORD": "a value that nobody else may know"})


async def make_a_key(world: World, browser: Visiting) -> None:
    await browser.post("/admin/keys", {"name": "gateway", "scope.events:write": "on"})


async def revoke_a_key(world: World, browser: Visiting) -> None:
    made = (await world.keys.list())[0]
    await browser.post(f"/admin/keys/{made.id}/revoke")


async def add_somebody(world: World, browser: Visiting) -> None:
    await browser.post("/admin/operators", {"email": "dan@example.com", "role": "viewer"})


async def change_somebody(world: World, browser: Visiting) -> None:
    await browser.post(await operator_page(world, BEN), {"name": "Ben", "role": "viewer"})


async def remove_somebody(world: World, browser: Visiting) -> None:
    await browser.post(f"{await operator_page(world, BEN)}/remove")


async def link_an_account(world: World, browser: Visiting) -> None:
    await browser.post(f"{await operator_page(world, MIA)}/link", {"platform": "slack", "account": "U0MIA"})


async def unlink_an_account(world: World, browser: Visiting) -> None:
    await link_an_account(world, browser)
    account = {"platform": "slack", "account": f"{world.slack.team_id}:U0MIA"}
    await browser.post(f"{await operator_page(world, MIA)}/unlink", account)


async def send_a_test(world: World, browser: Visiting) -> None:
    await browser.post("/admin/notifications/channel/slack/test")


async def send_a_test_of_the_set_up(world: World, browser: Visiting) -> None:
    await browser.post("/setup/test", {"channel": "slack"})


async def begin_a_round_trip(world: World, browser: Visiting) -> None:
    await browser.post("/admin/health/trip", {"channel": "slack"})


async def send_a_copy_again(world: World, browser: Visiting) -> None:
    asked = await world.ask_blocked(to=[ANA])
    await world.shown_to_ana("Approve")
    await world.kept()
    copy = (await world.see(asked["id"]))["deliveries"][0]["id"]
    await browser.post(f"/admin/deliveries/{copy}/resend")


async def call_without_the_scope(world: World, browser: Visiting) -> None:
    key = await world.key_for(Scope.METRICS)
    assert [(await world.call("GET", "/api/v1/audit", key=key)).status for _ in range(3)] == [403] * 3
    await world.until(lambda: not world.product.spawned.tasks)


@pytest.mark.parametrize(
    "act, action, who",
    [
        (decide_in_slack, "interaction.decided", "ana@example.com"),
        (decide_on_the_page, "interaction.decided", "ana@example.com"),
        (click_as_an_outsider, "click.refused", "slack"),
        (withdraw, "interaction.withdrawn", "ana"),
        (sign_in, "session.opened", "ana"),
        (sign_in_with_a_link_that_is_none, "session.refused", "nobody"),
        (ask_for_a_link_as_nobody, "session.refused", "nobody"),
        (sign_out, "session.closed", "ana"),
        (sign_somebody_out, "session.revoked", "ana"),
        (save_a_setting, "settings.saved", "ana"),
        (save_a_channel, "settings.saved", "ana"),
        (make_a_key, "key.created", "ana"),
        (revoke_a_key, "key.revoked", "ana"),
        (call_without_the_scope, "call.refused", "key"),
        (add_somebody, "operator.added", "ana"),
        (change_somebody, "operator.changed", "ana"),
        (remove_somebody, "operator.removed", "ana"),
        (link_an_account, "operator.linked", "ana"),
        (unlink_an_account, "operator.unlinked", "ana"),
        (send_a_test, "test.sent", "ana"),
        (send_a_test_of_the_set_up, "setup.tested", "ana"),
        (begin_a_round_trip, "test.asked", "ana"),
        (send_a_copy_again, "delivery.sent_again", "ana"),
    ],
)
async def test_it_is_written_down(world: World, anas: Visiting, act: Act, action: str, who: str) -> None:
    known = {f"operator:{await world.operator_id(ANA)}": "ana"}
    before = len(await world.audit())
    await act(world, anas)
    new = [(each, known.get(actor, actor)) for each, actor in (await world.audit())[before:]]
    assert [actor.partition(":")[0] for each, actor in new if each == action] == [who]
    verdict, _ = await world.product.anchor.verify()
    assert verdict.trouble is None


@pytest.mark.parametrize("act", [save_a_setting, save_a_channel])
async def test_of_a_setting_the_name_is_written_down_and_not_the_value(world: World, anas: Visiting, act: Act) -> None:
    await act(world, anas)
    newest = (await world.product.ledger.list(limit=1))[0]
    assert newest.action == "settings.saved"
    assert "nobody else" not in json.dumps(dict(newest.detail or {}))
