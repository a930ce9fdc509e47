"""Sessions and roles: who is let in where, for how long, and how that ends."""

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from bot.admin.pages import PAGES
from bot.admin.site import COOKIE, Page
from bot.doctor.reach import REACH
from interactions.model import Role
from tests.admin.signed_in import SAME, Seen, Visiting, cookie_of, signed_in
from tests.stories.world import ANA, BEN, MIA, Platforms, World, installed

RANKS = {None: 0, Role.VIEWER: 1, Role.OPERATOR: 2, Role.ADMIN: 3}


@pytest.fixture
async def bens(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, BEN) as browser:
        yield browser


async def of_every_rank(world: World) -> Mapping[Role | None, Visiting]:
    await world.operators.add("vera@example.com", "Vera", Role.VIEWER, by="cli")
    people = {Role.VIEWER: "vera@example.com", Role.OPERATOR: BEN, Role.ADMIN: ANA}
    return {None: Visiting(world), **{role: await signed_in(world, email) for role, email in people.items()}}


def verdict(seen: Seen) -> str:
    if seen.status == 303 and seen.headers["Location"].startswith("/login"):
        return "sign in first"
    if seen.status == 403:
        return "not your role" if "not for your role" in seen.words else "no form of ours"
    return "let in"


def expected(page: Page, role: Role | None) -> str:
    if RANKS[page.role] > RANKS[role]:
        return "not your role" if role else "sign in first"
    return "let in" if page.method == "GET" else "no form of ours"


async def test_every_page_holds_its_role_and_takes_forms_of_ours_only(world: World) -> None:
    wrong = []
    for role, browser in (await of_every_rank(world)).items():
        async with browser:
            for page in PAGES:
                path = re.sub(r"{[^}]+}", "x", page.path)
                asked = browser.get(path, follow=False) if page.method == "GET" else browser.post_raw(path, {})
                seen = verdict(await asked)
                if page.path in {"/login/{secret}", "/setup/{secret}", "/setup"}:
                    continue  # they answer by the link, which is told in test_login and test_setup
                if seen != expected(page, role):
                    wrong.append((page.method, page.path, role, seen))
    assert wrong == []


def test_pages_for_everybody_are_only_those_of_signing_in() -> None:
    open_to_all = {page.path for page in PAGES if page.role is None}
    ways_in = {"/login", "/login/sent", "/login/{secret}", "/setup", "/setup/{secret}"}
    assert open_to_all == {*ways_in, REACH}  # a riddle for whoever has our keys


async def test_a_form_from_another_site_is_refused(world: World, bens: Visiting) -> None:
    form = {"seal": (await bens.get("/admin/me")).seal}
    seen = await bens.post_raw("/admin/me/sessions/end-others", form, Sec_Fetch_Site="cross-site")
    assert seen.status == 403


async def test_the_seal_of_one_session_opens_no_form_of_another(world: World, bens: Visiting) -> None:
    async with await signed_in(world, ANA) as anas:
        form = {"seal": (await bens.get("/admin/me")).seal, "email": "eve@example.com", "role": "admin"}
        seen = await anas.post_raw("/admin/operators", form)
    assert (seen.status, await world.operators.by_email("eve@example.com")) == (403, None)


async def test_a_form_that_was_open_for_too_long_does_nothing(world: World, bens: Visiting) -> None:
    form = {"seal": (await bens.get("/admin/me")).seal}
    for _ in range(2):
        await world.forward(hours=7)
        await bens.get("/admin/me")
    seen = await bens.post_raw("/admin/me/sessions/end-others", form)
    assert (seen.status, "too old" in seen.words) == (403, True)


@pytest.mark.parametrize("hours, let_in", [(11.9, True), (12.1, False)])
async def test_a_session_is_over_after_twelve_hours_without_a_visit(
    world: World, bens: Visiting, hours: float, let_in: bool
) -> None:
    await world.forward(hours=hours)
    assert (await bens.get("/admin/me", follow=False)).status == (200 if let_in else 303)


async def test_a_session_is_over_after_thirty_days_of_visits(world: World, bens: Visiting) -> None:
    visits = 0
    while visits < 100 and (await bens.get("/admin/me", follow=False)).status == 200:
        visits += 1
        await world.forward(hours=11)
    assert visits * 11 / 24 == pytest.approx(30, abs=0.5)


async def test_who_signs_out_is_out_on_the_server_too(world: World) -> None:
    cookie = await cookie_of(world, BEN)
    async with Visiting(world) as browser:
        browser.http.cookie_jar.update_cookies({COOKIE: cookie})
        await browser.post("/logout")
        browser.http.cookie_jar.update_cookies({COOKIE: cookie})
        seen = await browser.get("/admin/me", follow=False)
    assert (seen.status, ("session.closed", f"operator:{await world.operator_id(BEN)}") in await world.audit()) == (
        303,
        True,
    )


ENDED = "You are not signed in any more, so nothing was changed."


@pytest.mark.parametrize(
    "path, site, said",
    [
        ("/admin/me/sessions/end-others", "same-origin", True),
        ("/admin/me/sessions/end-others", "cross-site", False),  # nobody else's page puts words into ours
        ("/logout", "same-origin", False),
    ],
)
async def test_who_is_signed_out_in_the_middle_of_a_form_is_told_that_nothing_was_changed(
    world: World, bens: Visiting, path: str, site: str, said: bool
) -> None:
    form = {"seal": (await bens.get("/admin/me")).seal}
    await world.forward(hours=13)
    moved = await bens.post_raw(path, form, Sec_Fetch_Site=site)
    seen = await bens.get(moved.headers["Location"])
    assert (moved.headers["Location"], ENDED in seen.words) == ("/login", said)


async def test_other_browsers_are_signed_out_and_this_one_stays(world: World, bens: Visiting) -> None:
    async with await signed_in(world, BEN) as other:
        await bens.post("/admin/me/sessions/end-others")
        seen = [(await each.get("/admin/me", follow=False)).status for each in (bens, other)]
    assert seen == [200, 303]


async def test_nobody_ends_a_session_of_somebody_else(world: World, bens: Visiting) -> None:
    async with await signed_in(world, ANA) as anas:
        listed = (await anas.get("/admin/me")).html
        found = re.search(r"/admin/me/sessions/([^/]+)/end", listed)
        assert found
        await bens.post(f"/admin/me/sessions/{found[1]}/end")
        assert (await anas.get("/admin/me", follow=False)).status == 200


async def test_somebody_removed_is_out_and_stays_out(world: World, bens: Visiting) -> None:
    await world.operators.remove(await world.operator_id(BEN), by="cli")
    await world.operators.add(BEN, "Ben", by="cli")
    assert (await bens.get("/admin/me", follow=False)).status == 303


async def test_another_role_counts_at_once(world: World) -> None:
    async with await signed_in(world, ANA) as browser:
        await world.operators.change(await world.operator_id(BEN), role=Role.ADMIN, by="cli")
        await world.operators.change(await world.operator_id(ANA), role=Role.VIEWER, by="cli")
        assert (await browser.get("/admin/keys", follow=False)).status == 403


async def test_the_database_holds_no_cookie(world: World) -> None:
    cookie = await cookie_of(world, MIA)
    rows = await world.product.store.read(lambda tx: tx.rows("SELECT * FROM session"))
    assert (len(rows), cookie in str(rows)) == (1, False)


async def test_a_page_is_kept_by_no_cache_and_shown_in_no_frame(bens: Visiting) -> None:
    headers = (await bens.get("/admin/me")).headers
    policy = headers["Content-Security-Policy"]
    assert (headers["Cache-Control"], "frame-ancestors 'none'" in policy, "unsafe" in policy) == (
        "no-store",
        True,
        False,
    )


@pytest.mark.parametrize("base_url, secure", [("https://gatebell.example.com", True), ("", False)])
async def test_cookies_are_out_of_reach_and_secure_where_the_address_is(
    platforms: Platforms, data: Path, base_url: str, secure: bool
) -> None:
    async with installed(platforms, data, BASE_URL=base_url) as world, Visiting(world) as browser:
        seal = (await browser.get("/login")).seal
        form = {"seal": seal, "email": "ben@example.com"}
        async with browser.http.post(
            f"{world.address}/login", data=form, headers=SAME, allow_redirects=False
        ) as response:
            cookie = response.headers["Set-Cookie"]
    flags = {flag.strip() for flag in cookie.split(";")[1:]}
    assert ({"HttpOnly", "SameSite=Lax", "Path=/"} <= flags, "Secure" in flags) == (True, secure)
