"""A database that does not answer: whoever comes in any way hears that, and to try again; nobody hears of a defect."""

from pathlib import Path
from typing import Any

from bot.channels.contract import TRY_AGAIN
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed

PEOPLE = {"Accept": "text/html"}


async def _away(world: World) -> None:
    """Whatever was in flight is written down before: this is about what comes afterwards."""
    await world.kept()
    await world.product.store.stop()


async def test_the_page_behind_a_link_says_not_now_to_a_person(world: World) -> None:
    link = await _link(world)
    await _away(world)
    async with world.http.get(link, headers=PEOPLE) as response:
        words = await response.text()
    assert (response.status, "The database does not answer" in words) == (503, True)


async def test_a_program_reads_a_problem_that_asks_for_another_try(world: World) -> None:
    link = await _link(world)
    await _away(world)
    async with world.http.get(link) as response:
        problem = await response.json(content_type="application/problem+json")
    assert (response.status, response.headers["Retry-After"], problem["status"]) == (503, "2", 503)


async def test_a_page_of_the_office_says_not_now_too(world: World) -> None:
    await _away(world)
    async with world.http.get(f"{world.address}/admin", headers=PEOPLE, cookies={"gatebell_session": "x"}) as response:
        words = await response.text()
    assert (response.status, "The database does not answer" in words) == (503, True)


async def test_every_such_answer_is_counted(world: World) -> None:
    link = await _link(world)
    await _away(world)
    async with world.http.get(link):
        pass
    async with world.http.get(f"{world.address}/metrics") as response:
        counted = await response.text()
    assert any("/d/{token}" in line and 'status="503"' in line for line in counted.splitlines())


async def test_slack_is_told_to_send_a_click_again(world: World) -> None:
    await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    await _away(world)
    assert (await world.slack.dm(ANA).click("Keep blocked")).status == 503


async def test_a_click_over_the_socket_is_answered_with_a_request_to_click_again(
    platforms: Platforms, data: Path
) -> None:
    ours: dict[str, Any] = {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": platforms.slack.app_token}
    async with installed(platforms, data, **ours) as world:
        await platforms.slack.until(lambda: platforms.slack.sockets.connected, what="a connection")
        await world.ask_blocked([ANA])
        await world.shown_to_ana("Keep blocked")
        await _away(world)
        await world.slack.dm(ANA).click("Keep blocked")
        await world.whispered(TRY_AGAIN)


async def test_a_click_in_teams_is_answered_with_a_request_to_click_again(world: World) -> None:
    await world.ask_blocked([BEN])
    await world.shown_to_ben("Keep blocked")
    await _away(world)
    pressed = await world.click_in_teams("Keep blocked")
    assert pressed.error == TRY_AGAIN


async def _link(world: World) -> str:
    await world.ask_blocked([MIA])
    await world.shown_to_mia()
    return next(link for link in world.mail.of(MIA)[0].links if "/d/" in link)
