"""What the doctor says about Teams."""

from aiohttp import ClientSession

from bot.rehearsal.failure import error, status
from bot.rehearsal.teams import TeamsTenant
from tests.channels.teams.world import World, world_of


async def test_all_is_well_after_an_installation(world: World) -> None:
    await world.install()
    assert [check.name for check in await world.channel.check() if not check.ok] == []


async def test_missing_settings_are_named(tenant: TeamsTenant, session: ClientSession) -> None:
    async with world_of(tenant, session, TEAMS_CLIENT_SECRET="") as world:
        check = await world.check("Teams settings")
    assert (check.ok, check.cause) == (False, "TEAMS_CLIENT_SECRET missing")


async def test_a_wrong_secret_is_told_with_its_mend(world: World) -> None:
    world.teams.fail(error("AADSTS7000215"), part="login")
    check = await world.check("Teams login")
    assert (check.ok, "AADSTS7000215" in check.cause, "Microsoft Entra" in check.mend) == (False, True, True)


async def test_a_login_that_is_down_is_told_apart_from_a_wrong_secret(world: World) -> None:
    world.teams.fail(status(500), part="login")
    assert "TEAMS_LOGIN_URL" in (await world.check("Teams login")).mend


async def test_a_key_page_that_is_down_is_told(world: World) -> None:
    world.teams.fail(status(500), part="keys")
    check = await world.check("Teams signing keys")
    assert (check.ok, "TEAMS_OPENID_METADATA_URL" in check.mend) == (False, True)


async def test_before_an_installation_the_next_step_is_told(world: World) -> None:
    check = await world.check("Teams conversations")
    assert (check.ok, "app package" in check.mend) == (False, True)


async def test_a_typed_service_url_of_a_stranger_is_told(tenant: TeamsTenant, session: ClientSession) -> None:
    typed = {"TEAMS_CONVERSATION_ID": "19:a@thread.tacv2", "TEAMS_SERVICE_URL": "https://evil.example/"}
    async with world_of(tenant, session, **typed) as world:
        check = await world.check("Teams conversations")
    assert (check.ok, "evil.example" in check.cause) == (False, True)


async def test_a_room_that_sent_the_bot_away_is_told(tenant: TeamsTenant, session: ClientSession) -> None:
    channel = tenant.add_channel("alerts", ["ana@example.com"])
    async with world_of(tenant, session, TEAMS_CONVERSATION_ID=channel.id) as world:
        await channel.install(by="ana@example.com")
        await channel.remove(by="ana@example.com")
        assert not (await world.check("Teams conversations")).ok
