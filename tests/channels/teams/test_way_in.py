"""What is noted of the Bot Connector's calls, so that the doctor can say which setting is wrong."""

import pytest

from bot.channels.way_in import Heard, heard
from tests.channels.teams.test_door import FOREIGN, Attack, play
from tests.channels.teams.world import World


async def noted(world: World) -> Heard:
    await world.settled()
    return await heard(world.shelf)


async def test_an_installation_is_a_call_and_no_click(world: World) -> None:
    await world.install()
    found = await noted(world)
    assert (found.called_at > 0, found.clicked_at) == (True, 0.0)


async def test_a_click_is_noted(world: World) -> None:
    await world.install()
    await world.ask()
    await world.teams.chat("ana@example.com").click("Approve")
    assert (await noted(world)).clicked_at > 0


@pytest.mark.parametrize(
    "attack, setting",
    [
        (Attack("another app", 401, {"aud": FOREIGN}), "TEAMS_APP_ID"),
        (Attack("another cloud", 401, {"iss": "https://api.botframework.us"}), "TEAMS_TOKEN_ISSUER"),
        (Attack("another tenant", 403, activity={"channelData.tenant.id": FOREIGN}), "TEAMS_TENANT_ID"),
        (Attack("too old", 401, {"exp": 1}), "clock"),
    ],
    ids=lambda each: each.name if isinstance(each, Attack) else each,
)
async def test_what_microsoft_signed_and_we_refuse_says_which_setting_is_wrong(
    world: World, attack: Attack, setting: str
) -> None:
    await play(world, attack)
    found = await noted(world)
    assert found.doubt
    assert setting in found.doubt.words


@pytest.mark.parametrize("token", [{"key": "stranger", "kid": "teams-1"}, {"alg": "none"}], ids=str)
async def test_what_anybody_could_have_forged_says_nothing_of_our_settings(world: World, token: dict[str, str]) -> None:
    await play(world, Attack("forged", 401, token))
    assert (await noted(world)).doubt is None
