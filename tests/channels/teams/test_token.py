"""The bot's own token: asked once, kept fresh, and its absence told in words before anybody waits for long."""

import asyncio

import pytest
from aiohttp import ClientSession

from bot.channels.contract import Reason
from bot.channels.teams_token import PATIENCE
from bot.rehearsal.failure import Failure, error, garbage, hang, http, reset, slow, status
from bot.rehearsal.teams import TeamsTenant
from tests.channels.teams.world import World, world_of
from tests.processor import late_after

ROOM = {"TEAMS_CONVERSATION_ID": "19:room@thread.tacv2", "TEAMS_SERVICE_URL": "https://smba.trafficmanager.net/emea/"}


async def refusal_with(tenant: TeamsTenant, session: ClientSession, failure: Failure) -> tuple[Reason, str]:
    """What a send says when the login fails so from the start."""
    tenant.fail(failure, part="login")
    async with world_of(tenant, session, **ROOM) as world:
        refused = await world.refusal()
    return refused.reason, refused.detail


@pytest.mark.parametrize(
    "code, named",
    [
        ("AADSTS7000215", "TEAMS_CLIENT_SECRET must hold the secret's value"),
        ("AADSTS7000222", "expired"),
        ("AADSTS700016", "TEAMS_APP_ID or TEAMS_TENANT_ID is wrong"),
        ("AADSTS90002", "TEAMS_TENANT_ID is wrong"),
        ("AADSTS7000229", "service principal"),
        ("AADSTS1002012", "TEAMS_TOKEN_ISSUER"),
        ("AADSTS500011", "AADSTS500011"),
    ],
)
async def test_wrong_credentials_are_told_in_plain_words(
    tenant: TeamsTenant, session: ClientSession, code: str, named: str
) -> None:
    reason, words = await refusal_with(tenant, session, error(code, status=401))
    assert (reason, named in words) == (Reason.UNAUTHORIZED, True)


@pytest.mark.parametrize(
    "failure, reason",
    [
        (status(500), Reason.UNAVAILABLE),
        (status(503), Reason.UNAVAILABLE),
        (status(429, retry_after=9), Reason.RATE_LIMITED),
        (error("AADSTS90033", status=400), Reason.UNAVAILABLE),
        (status(401), Reason.UNAUTHORIZED),
        (reset(), Reason.UNAVAILABLE),
        (garbage(), Reason.UNAVAILABLE),
        (http(200, '{"access_token": ""}'), Reason.UNAVAILABLE),
        (http(302, headers={"Location": "https://evil.example/"}), Reason.UNAVAILABLE),
    ],
    ids=lambda value: str(getattr(value, "kind", value)) + str(getattr(value, "status", "")),
)
async def test_a_login_that_does_not_work_lets_the_chain_go_on(
    tenant: TeamsTenant, session: ClientSession, failure: Failure, reason: Reason
) -> None:
    assert (await refusal_with(tenant, session, failure))[0] is reason


async def test_the_secret_is_in_no_refusal(tenant: TeamsTenant, session: ClientSession) -> None:
    tenant.fail(error("AADSTS7000215", status=401), part="login")
    async with world_of(tenant, session, **ROOM) as world:
        refused = await world.refusal()
    assert tenant.client_secret not in f"{refused}{refused.detail}{world.channel._presence!r}"


@pytest.mark.parametrize("failure", [slow(5.0), hang()], ids=["slow", "hangs"])
async def test_a_slow_login_times_out_before_the_chain_gives_up(
    tenant: TeamsTenant, session: ClientSession, failure: Failure
) -> None:
    started = asyncio.get_running_loop().time()
    reason, _ = await refusal_with(tenant, session, failure)
    assert (reason, asyncio.get_running_loop().time() - started < PATIENCE + 0.5) == (Reason.TIMED_OUT, True)


async def test_the_loop_stays_free_while_login_and_keys_hang(tenant: TeamsTenant, session: ClientSession) -> None:
    async with world_of(tenant, session, **ROOM) as world:
        await world.channel._get_inbound()  # the libraries are loaded once, at start
        held = await world.channel._presence.token.get()
        world.teams.fail(hang(), part="login")
        world.teams.fail(hang(), part="keys")
        world.channel._presence.token.refuse(held)
        sends = [asyncio.create_task(world.refusal()) for _ in range(20)]
        worst = max([await late_after(0.01) for _ in range(100)])
        for send in sends:
            send.cancel()
    assert worst < 0.05


async def test_a_slow_login_serves_the_sends_after_it(tenant: TeamsTenant, session: ClientSession) -> None:
    tenant.fail(slow(PATIENCE + 0.5), part="login", times=1)
    async with world_of(tenant, session) as world:
        await world.install()
        await asyncio.sleep(0.6)
        await world.ask()
    asked = [each for each in tenant.journal if each.path.endswith("/token")]
    assert (len(asked), bool(tenant.chat("ana@example.com").cards)) == (1, True)


async def test_a_hundred_sends_ask_for_one_token(world: World) -> None:
    await world.install()
    await asyncio.gather(*(world.ask() for _ in range(100)))
    assert world.teams.login.issued == 1


async def test_after_a_refusal_the_login_is_left_alone_for_a_while(tenant: TeamsTenant, session: ClientSession) -> None:
    rule = tenant.fail(status(500), part="login")
    async with world_of(tenant, session, **ROOM) as world:
        for _ in range(20):
            await world.refusal()
    assert rule.hits <= 2


async def test_a_busy_login_is_left_alone_for_as_long_as_it_asks(tenant: TeamsTenant, session: ClientSession) -> None:
    rule = tenant.fail(status(429, retry_after=9), part="login")
    async with world_of(tenant, session, **ROOM) as world:
        await world.refusal()
        await asyncio.sleep(1.3)
        assert (await world.refusal()).reason is Reason.RATE_LIMITED
    assert rule.hits == 1


async def test_a_token_is_asked_again_by_itself_after_the_login_failed(
    tenant: TeamsTenant, session: ClientSession
) -> None:
    tenant.fail(status(500), part="login", times=1)
    async with world_of(tenant, session):
        await tenant.until(lambda: tenant.login.issued == 1, what="a token that no send asked for")


async def test_a_token_is_renewed_before_it_ends(session: ClientSession) -> None:
    async with TeamsTenant(limits=False, token_lifetime=2) as tenant:
        tenant.add_person("Ana Lima", "ana@example.com")
        async with world_of(tenant, session) as world:
            await tenant.until(lambda: tenant.login.issued == 1, what="the first token")
            await tenant.until(lambda: tenant.login.issued == 2, within=4, what="the second token")
            held = world.channel._presence.token._token
    assert held


async def test_the_token_is_asked_as_microsoft_documents_it(world: World) -> None:
    await world.install()
    await world.ask()
    asked = next(each for each in world.teams.journal if each.path.endswith("/token"))
    assert (asked.path, asked.body["grant_type"], asked.body["scope"]) == (
        f"/{world.teams.tenant_id}/oauth2/v2.0/token",
        "client_credentials",
        "https://api.botframework.com/.default",
    )
