"""What lets its holder act as a person reaches that person's own place, and no other: no room, no other chat."""

from pathlib import Path

from aiohttp import ClientSession

from bot.rehearsal.failure import status
from bot.rehearsal.teams_screen import Chat
from tests.admin.signed_in import Visiting, signed_in
from tests.stories.page import Page
from tests.stories.test_no_blind_approval import FOR_A_PAGE, huge
from tests.stories.world import ANA, BEN, CLEO, MIA, Answered, Platforms, World, installed

REVIEW = "Review full request"


# ---- a person whom Teams does not know, and a channel with a stranger in it ------------------------------------------


async def test_a_stranger_who_opens_what_stands_in_a_teams_room_decides_nothing(world: World) -> None:
    """Mia is asked and is not in Teams; Cleo asked, reads along, and is nobody's operator."""
    room = await room_with_cleo(world)
    asked = await asked_of_mia(world)
    await room.wait_for(REVIEW)
    async with ClientSession() as cleo:
        page = await Page.open(cleo, room.open_url(REVIEW))
    assert (page.buttons, "Archivist" in page.text) == ({}, False)
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_a_card_that_teams_finds_too_large_does_not_bring_the_deciding_page_into_a_room(world: World) -> None:
    room = await room_with_cleo(world)
    world.teams.fail(status(413), path="/activities", times=1)
    await asked_of_mia(world)
    await room.wait_for(REVIEW)
    assert decides(world, str(room.activities)) is False


async def test_what_is_brought_up_to_date_in_a_room_holds_no_deciding_page_either(world: World) -> None:
    room = await room_with_cleo(world)
    asked = await asked_of_mia(world)
    await room.wait_for(REVIEW)
    world.teams.fail(status(413), part="connector", method="PUT", times=1)
    await world.withdraw(asked["id"])
    await room.wait_for("Withdrawn")
    assert decides(world, str(room.activities)) is False


async def test_whoever_was_asked_decides_behind_the_link_in_the_room_once_signed_in(world: World) -> None:
    room = await room_with_cleo(world)
    await asked_of_mia(world)
    await room.wait_for(REVIEW)
    async with await signed_in(world, MIA) as mia:
        page = await mia.get(room.open_url(REVIEW))
    assert (page.status, "Approve" in page.words) == (200, True)


async def test_the_link_that_signs_mia_in_does_not_go_into_a_room(world: World) -> None:
    """Cleo asks for it in a browser of her own, so the link is all that she lacks."""
    room = await room_with_cleo(world)
    async with Visiting(world) as cleo:
        await cleo.post_raw("/login", {"seal": (await cleo.get("/login")).seal, "next": "", "email": MIA})
        await world.shown_to_mia()
    assert (room.activities, "/login/" in str(world.mail.of(MIA)[0].links)) == ([], True)


# ---- one's own place, and rooms of other channels --------------------------------------------------------------------


async def test_in_ones_own_chat_with_the_bot_the_page_decides(world: World) -> None:
    await world.ask("blocked_action", huge(FOR_A_PAGE), [BEN])
    await world.shown_to_ben(REVIEW)
    assert decides(world, str(world.teams.chat(BEN).activities)) is True


async def test_nobodys_request_is_shown_in_the_personal_chat_of_another(world: World) -> None:
    await world.product.settings.save({"CHAIN": "teams,email"}, "cli")
    await world.ask_blocked([MIA])
    await world.shown_to_mia()
    assert (world.teams.chat(BEN).activities, world.teams.chat(CLEO).activities) == ([], [])


async def test_the_link_in_a_slack_room_decides_for_nobody(world: World) -> None:
    room = world.slack.add_channel("ops", [ANA, CLEO])
    asked = await asked_in(world, room.id)
    await room.wait_for(REVIEW)
    page = await world.page_at(next(link for link in room.last.links if "/d/" in link))
    assert ((await page.post("approve")).status, page.buttons) == (403, {})
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_the_link_in_a_mail_to_a_room_decides_for_nobody(world: World) -> None:
    asked = await asked_in(world, "ops@example.com, cleo@example.com")
    await world.mail.wait_for(1, to=CLEO)
    page = await world.page_of(CLEO)
    assert ((await page.post("approve")).status, page.buttons) == (403, {})
    assert (await world.see(asked["id"]))["status"] == "pending"


async def test_a_webhook_brings_neither_the_deciding_page_nor_the_link_that_signs_in(
    platforms: Platforms, data: Path
) -> None:
    hook = platforms.caller.url
    async with installed(platforms, data, CHAIN="webhook,email", WEBHOOK_URL=hook) as world, Visiting(world) as cleo:
        await world.ask_blocked([MIA])
        await world.until(lambda: world.caller.journal)
        await cleo.post_raw("/login", {"seal": (await cleo.get("/login")).seal, "next": "", "email": MIA})
        await world.shown_to_mia()
        told = " ".join(str(entry.body) for entry in world.caller.journal)
    assert ("Archivist" in told, "/d/" in told, "/login/" in told) == (True, False, False)


async def test_a_callback_brings_no_page_at_all(world: World) -> None:
    asked = await world.ask_blocked([ANA], callback_url=world.caller.url)
    await world.shown_to_ana("Keep blocked")
    await world.slack.dm(ANA).click("Keep blocked")
    await world.until(lambda: world.caller.journal)
    told = " ".join(str(entry.body) for entry in world.caller.journal)
    assert (asked["id"] in told, "/d/" in told) == (True, False)


async def room_with_cleo(world: World) -> Chat:
    room = world.teams.add_channel("alerts", [BEN, CLEO])
    await room.install(by=BEN)
    await world.settled()
    await world.product.settings.save({"CHAIN": "teams,email"}, "cli")
    return room


async def asked_of_mia(world: World) -> Answered:
    return await world.ask("blocked_action", huge(FOR_A_PAGE), [MIA], requested_by={"email": CLEO})


async def asked_in(world: World, room: str) -> Answered:
    return await world.ask("blocked_action", huge(FOR_A_PAGE), [ANA], room=room)


def decides(world: World, shown: str) -> bool:
    """Whether a signed page stands in it."""
    return f"{world.address}/d/" in shown
