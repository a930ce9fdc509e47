"""Signing in by a link: how it comes, for whom it is good, and who learns nothing."""

import json
import re
from pathlib import Path

import pytest

from bot.admin.access import ASKS_FOR_ONE, ASKS_FROM_ONE, LINK_LIVES, REFUSALS_NOTED, Purpose
from bot.admin.pages.login import safe_next
from bot.links import Links
from interactions.card import Card
from renderers import adaptive_card, block_kit, email
from tests.admin.signed_in import Seen, Visiting, access_of
from tests.stories.world import ANA, BEN, CLEO, MIA, World


async def asked(browser: Visiting, email: str, to: str = "", **headers: str) -> Seen:
    """The answer to asking for a link."""
    page = await browser.get(f"/login?next={to}" if to else "/login")
    form = {"seal": page.seal, "email": email, "next": to}
    return await browser.post_raw("/login", form, **headers)


async def link_for_mia(browser: Visiting, to: str = "") -> str:
    letters = len(browser.world.mail.of(MIA))
    await asked(browser, MIA, to)
    await browser.world.shown_to_mia(letters + 1)
    return next(link for link in browser.world.mail.of(MIA)[-1].links if "/login/" in link)


async def pressed(browser: Visiting, link: str) -> Seen:
    page = await browser.get(link)
    found = re.search(r'name="next" value="([^"]*)"', page.html)
    return await browser.post_raw(link, {"seal": page.seal, "next": found[1] if found else ""})


async def test_a_link_signs_in_the_browser_that_asked(world: World) -> None:
    async with Visiting(world) as browser:
        moved = await pressed(browser, await link_for_mia(browser))
        assert (moved.headers["Location"], "mia@example.com" in (await browser.get("/admin/me")).words) == (
            "/admin",
            True,
        )


async def test_the_link_comes_where_the_person_is_told_everything_else(world: World) -> None:
    async with Visiting(world) as browser:
        await asked(browser, ANA)
        await world.shown_to_ana("Sign in to Gatebell")
        await asked(browser, BEN)
        await world.shown_to_ben("Sign in to Gatebell")
    in_slack, in_teams = str(world.slack.dm(ANA).messages[-1]), json.dumps(world.teams.chat(BEN).activities[-1])
    assert all(f"{world.address}/login/" in place for place in (in_slack, in_teams))


async def test_it_is_a_button_wherever_it_comes(world: World) -> None:
    async with Visiting(world) as browser:
        for email in (ANA, BEN, MIA):
            await asked(browser, email)
        await world.shown_to_ana("Sign in to Gatebell")
        await world.shown_to_ben("Sign in to Gatebell")
        await world.shown_to_mia()
    slack = [each.url for each in world.slack.dm(ANA).last.elements if each.label == "Sign in"]
    letter = re.findall(r'<a class="button" href="([^"]+)"[^>]*>Sign in</a>', world.mail.of(MIA)[-1].html)
    seen = [*slack, world.teams.chat(BEN).open_url("Sign in"), *letter]
    assert [(each or "").rpartition("/")[0] for each in seen] == [f"{world.address}/login"] * 3


async def test_pressing_it_in_slack_is_no_answer_to_anything(world: World) -> None:
    async with Visiting(world) as browser:
        await asked(browser, ANA)
        await world.shown_to_ana("Sign in to Gatebell")
        pressed_there = await world.slack.dm(ANA).click("Sign in")
        await world.settled()
    refused = [each for each in await world.audit() if each[0] == "click.refused"]
    assert (pressed_there.acknowledged, refused, world.whispers()) == (True, [], [])


async def test_the_answer_tells_nobody_who_is_an_operator(world: World) -> None:
    async with Visiting(world) as browser:
        known, unknown = await asked(browser, MIA), await asked(browser, "nobody@example.com")
        await world.shown_to_mia()
    assert (known.status, known.html, known.headers["Location"]) == (
        unknown.status,
        unknown.html,
        unknown.headers["Location"],
    )
    assert world.mail.of("nobody@example.com") == []


async def test_another_browser_is_told_to_ask_there(world: World) -> None:
    async with Visiting(world) as mias, Visiting(world) as other:
        link = await link_for_mia(mias)
        there = await other.get(link)
        assert (there.status, "another browser" in there.words, there.seal) == (403, True, "")
        assert (await pressed(mias, link)).status == 303


async def test_a_stolen_link_is_worth_nothing(world: World) -> None:
    async with Visiting(world) as mias, Visiting(world) as thief:
        link = await link_for_mia(mias)
        form = {"seal": (await thief.get("/login")).seal, "next": ""}
        stolen = await thief.post_raw(link, form)
        assert (stolen.status, (await thief.get("/admin/me", follow=False)).status) == (403, 303)


async def test_whatever_opens_links_before_people_do_uses_none_up(world: World) -> None:
    async with Visiting(world) as mias:
        link = await link_for_mia(mias)
        for _ in range(3):
            await mias.get(link, User_Agent="LinkScanner/1.0")
        assert (await pressed(mias, link)).status == 303


async def test_a_link_works_once(world: World) -> None:
    async with Visiting(world) as mias:
        link = await link_for_mia(mias)
        page = await mias.get(link)
        form = {"seal": page.seal, "next": ""}
        first, second = await mias.post_raw(link, form), await mias.post_raw(link, form)
    assert (first.status, second.status) == (303, 403)


async def test_a_link_is_over_after_a_quarter_of_an_hour(world: World) -> None:
    async with Visiting(world) as mias:
        link = await link_for_mia(mias)
        await world.forward(minutes=15)
        late = await mias.get(link)
    assert (late.status, "15 minutes" in late.words) == (403, True)


async def test_a_link_of_somebody_removed_is_over(world: World) -> None:
    async with Visiting(world) as mias:
        link = await link_for_mia(mias)
        await world.operators.remove(await world.operator_id(MIA), by="cli")
        assert (await mias.get(link)).status == 403


async def test_a_printed_link_is_good_in_any_browser_once(world: World) -> None:
    secret = await access_of(world).link(await world.operator_id(ANA), Purpose.SIGN_IN, LINK_LIVES)
    async with Visiting(world) as first, Visiting(world) as second:
        seen = [(await pressed(each, f"/login/{secret}")).status for each in (first, second)]
    assert seen == [303, 403]


async def test_a_link_of_the_set_up_signs_nobody_in(world: World) -> None:
    secret = await access_of(world).link(None, Purpose.SETUP, LINK_LIVES)
    async with Visiting(world) as browser:
        assert (await browser.get(f"/login/{secret}")).status == 403


async def test_one_address_is_sent_no_more_than_a_few_links(world: World) -> None:
    async with Visiting(world) as browser:
        seen = [(await asked(browser, CLEO)).status for _ in range(ASKS_FOR_ONE + 1)]
        refused = await asked(browser, CLEO)
        assert seen == [303] * ASKS_FOR_ONE + [429]
        assert "Wait 15 minutes" in refused.words
        await world.forward(minutes=15)
        assert (await asked(browser, CLEO)).status == 303


async def test_one_network_address_tries_no_more_than_so_many_names(world: World) -> None:
    async with Visiting(world) as browser:
        seen = [(await asked(browser, f"guess{number}@example.com")).status for number in range(ASKS_FROM_ONE + 1)]
    assert seen == [303] * ASKS_FROM_ONE + [429]


async def test_who_tries_too_often_behind_a_proxy_keeps_out_nobody_else_there(world: World) -> None:
    async def asks(browser: Visiting, number: int, address: str) -> int:
        said = f"192.0.2.{number}, {address}"  # what stands before the proxy's own word is anybody's
        return (await asked(browser, f"guess{number}@example.com", X_Forwarded_For=said)).status

    async with Visiting(world) as browser:
        guesses = [await asks(browser, number, "198.51.100.7") for number in range(ASKS_FROM_ONE + 1)]
        assert (guesses[-1], await asks(browser, 99, "198.51.100.8")) == (429, 303)


async def test_who_has_tried_too_often_keeps_nobody_from_their_link(world: World) -> None:
    async with Visiting(world) as browser:
        for number in range(ASKS_FROM_ONE):
            await asked(browser, f"guess{number}@example.com", X_Forwarded_For="198.51.100.7")
        for _ in range(ASKS_FOR_ONE + 1):
            await asked(browser, MIA, X_Forwarded_For="198.51.100.7")
        assert (await asked(browser, MIA, X_Forwarded_For="198.51.100.8")).status == 303
        await world.shown_to_mia()


async def test_what_is_no_address_is_said_to_be_none(world: World) -> None:
    async with Visiting(world) as browser:
        seen = await asked(browser, "<script>alert(1)</script>")
    assert (seen.status, "is not an e-mail address" in seen.words, "<script>alert" in seen.html) == (422, True, False)


async def test_signing_in_leads_to_the_page_that_was_asked_for(world: World) -> None:
    async with Visiting(world) as browser:
        turned = await browser.get("/admin/requests?status=pending", follow=False)
        to = "/admin/requests?status=pending"
        moved = await pressed(browser, await link_for_mia(browser, to))
    assert turned.headers["Location"] == "/login?next=/admin/requests?status%3Dpending"
    assert moved.headers["Location"] == to


@pytest.mark.parametrize(
    "to, leads_to",
    [
        ("/admin/operators/1?x=2", "/admin/operators/1?x=2"),
        ("/setup", "/setup"),
        ("https://evil.example", "/admin"),
        ("//evil.example", "/admin"),
        ("/\\evil.example", "/admin"),
        ("/admin\\..\\..", "/admin"),
        ("/adminevil.example", "/admin"),
        ("/admin/\nSet-Cookie: a=b", "/admin"),
        ("javascript:alert(1)", "/admin"),
        ("/logout", "/admin"),
        ("", "/admin"),
    ],
)
def test_nobody_is_led_to_another_server(to: str, leads_to: str) -> None:
    assert safe_next(to) == leads_to


async def test_signing_in_and_being_refused_are_written_down(world: World) -> None:
    async with Visiting(world) as browser:
        await asked(browser, "nobody@example.com")
        link = await link_for_mia(browser)
        await pressed(browser, link)
        await pressed(browser, link)
        await world.settled()
    mia = f"operator:{await world.operator_id(MIA)}"
    said = [each for each in await world.audit() if each[0].startswith("session.")]
    assert sorted(said) == sorted(
        [
            ("session.refused", "nobody"),  # nobody by this address
            ("session.refused", "nobody"),  # the link was used already
            ("session.asked", mia),
            ("session.opened", mia),
        ]
    )


async def test_asking_too_often_is_written_down_once(world: World) -> None:
    async with Visiting(world) as browser:
        for _ in range(ASKS_FOR_ONE + 3):
            await asked(browser, MIA)
        await world.settled()
    assert [each for each in await world.audit() if each[0] == "session.refused"] == [("session.refused", "nobody")]


async def refusals(world: World) -> list[tuple[str, str]]:
    """From where, and why, as the log has it."""
    sql = "SELECT place, detail FROM audit WHERE action = 'session.refused' ORDER BY seq"
    rows = await world.product.store.read(lambda tx: tx.rows(sql))
    return [(row["place"], json.loads(row["detail"])["why"]) for row in rows]


async def test_guessing_links_fills_no_log_and_says_each_time_what_to_do(world: World) -> None:
    async with Visiting(world) as browser:
        form = {"seal": (await browser.get("/login")).seal, "next": ""}
        seen = [
            await browser.post_raw(f"/login/guess{number}", form, X_Forwarded_For="198.51.100.7")
            for number in range(REFUSALS_NOTED * 3)
        ]
        await browser.post_raw("/login/guess", form, X_Forwarded_For="198.51.100.8")
    assert {(each.status, "Ask for another one" in each.words) for each in seen} == {(403, True)}
    assert await refusals(world) == [
        *[("198.51.100.7", "link over")] * REFUSALS_NOTED,
        ("198.51.100.7", "links that lead nowhere, again and again"),
        ("198.51.100.8", "link over"),
    ]


async def test_a_right_link_signs_in_beside_somebody_who_guesses(world: World) -> None:
    async with Visiting(world) as mias:
        link = await link_for_mia(mias)
        form = {"seal": (await mias.get("/login")).seal, "next": ""}
        for number in range(REFUSALS_NOTED + 2):
            await mias.post_raw(f"/login/guess{number}", form)
        assert (await pressed(mias, link)).status == 303


def stored(data: Path) -> bytes:
    """Every byte of the database, what it was about to forget too."""
    return b"".join(file.read_bytes() for file in data.glob("gatebell.db*"))


async def test_the_database_holds_no_link(world: World, data: Path) -> None:
    async with Visiting(world) as browser:
        link = await link_for_mia(browser)
    links = await world.product.store.read(lambda tx: tx.rows("SELECT * FROM login_link"))
    cards = await world.product.store.read(lambda tx: tx.rows("SELECT * FROM post"))
    assert (len(links), len(cards)) == (1, 1)
    assert link.rpartition("/")[2].encode() not in stored(data)


async def test_a_link_that_was_sealed_with_a_key_of_before_still_opens() -> None:
    before, after = Links((b"o" * 32,)), Links((b"n" * 32, b"o" * 32))
    sealed = before.seal("https://gate.example/login/abc")
    assert (after.open(sealed), Links((b"n" * 32,)).open(sealed)) == ("https://gate.example/login/abc", "")


async def test_a_sealed_link_is_no_link_to_anybody(world: World) -> None:
    sealed = Links((b"o" * 32,)).seal("https://gate.example/login/abc")
    card = Card(title="Sign in", link=sealed)
    for shown in (block_kit.render(card, "").body, adaptive_card.render(card, "").content, email.render(card).html):
        assert sealed not in str(shown)
