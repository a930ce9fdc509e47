"""Addresses that others give us: what leads inside is refused when it is given, and again when it is called."""

import socket
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.caller import AgentEndpoint
from bot.settings import SAVED
from tests.admin.signed_in import Seen, signed_in
from tests.channels.http.names import Names
from tests.stories.hands import press
from tests.stories.reach import at_rest
from tests.stories.test_callbacks import callback_of
from tests.stories.world import ANA, Answered, Platforms, World, installed

NOBODY: dict[str, Any] = {"ALLOWED_PRIVATE_HOSTS": ""}
HOST = "hooks.example.com"
HOOK = f"http://{HOST}/told"
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "unknown")
INSIDE = (
    "http://127.0.0.1/told",
    "http://[::1]/told",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.7/told",
    "http://2130706433/told",
    "http://0x7f000001/told",
    "http://0177.0.0.1/told",
    "http://[::ffff:127.0.0.1]/told",
    "http://localhost/told",
    HOOK,  # by its name server
)


async def asked_by_api(world: World, url: str) -> Answered:
    return await world.ask_blocked([ANA], callback_url=url)


async def asked_by_event(world: World, url: str) -> Answered:
    decision = {"operators": [ANA], "callback_url": url}
    context = {"agent": "Archivist", "tool": "drive.delete", "decision": decision}
    return await world.tell("destructive_action.blocked", context=context)


def flaw_of(answered: Answered) -> tuple[int, str]:
    return answered.status, answered["errors"][0]["field"]


# ---- callbacks: when it is asked ------------------------------------------------------------------------------------


async def test_no_question_is_asked_that_would_call_inside(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, names=Names("10.0.0.7"), **NOBODY) as world:
        found = [flaw_of(await asked_by_api(world, url)) for url in INSIDE]
        assert found == [(422, "callback_url")] * len(INSIDE)
        assert not (await world.call("GET", "/api/v1/interactions"))["items"]


async def test_no_event_asks_what_would_call_inside(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, names=Names("10.0.0.7"), **NOBODY) as world:
        found = [flaw_of(await asked_by_event(world, url)) for url in INSIDE]
        assert found == [(422, "context.decision.callback_url")] * len(INSIDE)
        assert not (await world.call("GET", "/api/v1/interactions"))["items"]


@pytest.mark.parametrize("url", ["http://10.0.0.7/told", HOOK])
async def test_no_agent_in_a_chat_asks_what_would_call_inside(platforms: Platforms, data: Path, url: str) -> None:
    payload = {"agent": "Archivist", "tool": "drive.delete"}
    asks = {"interaction": {"kind": "blocked_action", "payload": payload, "callback_url": url}}
    names = Names("10.0.0.7")
    async with (
        AgentEndpoint(asks) as agent,
        installed(platforms, data, install_teams=False, names=names, AGENT_URL=agent.url, **NOBODY) as world,
    ):
        await world.slack.dm(ANA).say("Tidy up, please")
        await world.shown_to_ana("is not a public address")
        assert not (await world.call("GET", "/api/v1/interactions"))["items"]


async def test_a_name_that_does_not_exist_is_refused_with_its_mend(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, names=Names(UNKNOWN)) as world:
        asked = await asked_by_api(world, HOOK)
    assert flaw_of(asked) == (422, "callback_url")
    assert f"There is no host called {HOST}. Check how it is written." in asked["detail"]


async def test_while_no_name_server_answers_questions_are_asked_all_the_same(platforms: Platforms, data: Path) -> None:
    away = Names(socket.gaierror(socket.EAI_AGAIN, "try again"))
    async with installed(platforms, data, install_teams=False, names=away) as world:
        assert (await asked_by_api(world, HOOK)).status == 201


async def test_a_name_that_the_owner_allows_may_lead_inside(platforms: Platforms, data: Path) -> None:
    allowed: dict[str, Any] = {"ALLOWED_PRIVATE_HOSTS": HOST}
    async with installed(platforms, data, install_teams=False, names=Names("127.0.0.1"), **allowed) as world:
        await asked_by_api(world, f"http://{HOST}:{world.caller.port}/told")
        await press(world, "slack", "Approve")
        assert (await world.caller.wait_for(1))[0].json["status"] == "decided"


# ---- callbacks: when it is called -----------------------------------------------------------------------------------


async def test_a_name_that_leads_inside_since_it_was_asked_is_not_called(platforms: Platforms, data: Path) -> None:
    rebinding = Names("93.184.215.14", "127.0.0.1")
    async with installed(platforms, data, install_teams=False, names=rebinding, **NOBODY) as world:
        asked = await asked_by_api(world, f"http://{HOST}:{world.caller.port}/told")
        await press(world, "slack", "Approve")
        callback = await callback_of(world, asked["id"])
        assert (callback["state"], world.caller.journal) == ("failed", [])
        assert "not public" in callback["detail"]


# ---- webhooks --------------------------------------------------------------------------------------------------------


async def saved_on(world: World, path: str, url: str) -> Seen:
    async with await signed_in(world, ANA) as browser:
        return await browser.post(path, {"WEBHOOK_URL": url})


@pytest.mark.parametrize("path", ["/admin/notifications/channel/webhook", "/setup/channel/webhook"])
async def test_no_page_saves_a_webhook_that_leads_inside(platforms: Platforms, data: Path, path: str) -> None:
    async with installed(platforms, data, install_teams=False, names=Names("10.0.0.7"), **NOBODY) as world:
        found = [await saved_on(world, path, url) for url in INSIDE]
    assert [(each.status, "is not a public address" in each.words) for each in found] == [(422, True)] * len(INSIDE)
    assert not (data / SAVED).exists()


async def test_a_page_saves_a_webhook_that_leads_outside(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, names=Names("93.184.215.14"), **NOBODY) as world:
        await saved_on(world, "/admin/notifications/channel/webhook", HOOK)
        assert world.product.settings.now["WEBHOOK_URL"] == HOOK


async def test_a_page_says_that_there_is_no_such_host(platforms: Platforms, data: Path) -> None:
    async with installed(platforms, data, install_teams=False, names=Names(UNKNOWN), **NOBODY) as world:
        seen = await saved_on(world, "/admin/notifications/channel/webhook", HOOK)
    assert f"There is no host called {HOST}" in seen.words


async def test_a_webhook_of_the_environment_that_leads_inside_is_not_called(platforms: Platforms, data: Path) -> None:
    settings: dict[str, Any] = {"CHAIN": "webhook", "WEBHOOK_URL": platforms.caller.url, **NOBODY}
    async with installed(platforms, data, install_teams=False, **settings) as world:
        await world.tell("demo.event", "Something happened")
        await at_rest(world)
        assert (await world.attempts(), world.caller.journal) == ([("webhook", "send", "refused")], [])
