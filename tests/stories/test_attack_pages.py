"""The pages under attack: what others wrote, what stands in an address, and names of hosts that are not ours."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.admin.access import LINK_LIVES, Purpose
from bot.admin.pages import PAGES
from bot.keys import Scope
from bot.rehearsal.failure import error
from tests.admin.signed_in import Visiting, access_of, cookie_of, signed_in
from tests.stories.test_hostile_text import Elements, ask_everything
from tests.stories.test_secrets import dump_of
from tests.stories.world import ANA, BEN, MIA, World

ACTING = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>[x](javascript:alert(1))"
)
QUERY = (
    "next",
    "search",
    "status",
    "kind",
    "actor",
    "action",
    "subject",
    "before",
    "type",
    "channel",
    "sample",
    "state",
)
FILES = ("zip", "export", "preview/mail")  # for a disk, or shown in a frame that can do nothing


@pytest.fixture
async def anas(world: World) -> AsyncIterator[Visiting]:
    async with await signed_in(world, ANA) as browser:
        yield browser


def acting(html: str) -> list[str]:
    """What of a page somebody else has brought in and a browser would run or fetch."""
    shown = Elements(html)
    scripts = re.findall(r"<script(?![^>]* src=\"/static/)[^>]*>", html)
    handlers = [name for name, _ in shown.attributes if name.startswith("on")]
    return scripts + handlers + [value for _, value in shown.attributes if value == "x" or "javascript:" in value[:20]]


def plain(path: str) -> bool:
    return "{" not in path and not path.endswith(FILES)


async def write_everywhere(world: World) -> None:
    """Into every field that somebody else than an admin, or a platform, can write."""
    line = ACTING.replace("\n", " ")
    await world.tell(line[:100], line, source=line, details=ACTING, labels={"l": ACTING}, context={ACTING: ACTING})
    world.slack.fail(error(ACTING), path="chat.postMessage")
    await ask_everything(world, ANA, ACTING)
    await world.mail.wait_for(1, to=ANA)
    world.slack.heal()
    await world.call("POST", "/api/v1/keys", {"name": line[:200], "scopes": [Scope.METRICS]})
    await world.operators.change(await world.operator_id(BEN), name=line, by=line)
    await cookie_of(world, ANA, ACTING)
    asked = await world.ask_blocked([ANA, MIA], thread=line, requested_by={"agent": line, "session": line})
    await world.call("POST", f"/api/v1/interactions/{asked['id']}/withdraw", {"because": ACTING})


async def test_what_others_wrote_acts_on_no_page(world: World, anas: Visiting) -> None:
    await write_everywhere(world)
    paths = [page.path for page in PAGES if page.method == "GET" and plain(page.path)]
    seen = {path: await anas.get(path) for path in paths}
    inside = {link for each in seen.values() for link in re.findall(r'href="(/admin/\w+/[^"#?]+)"', each.html)}
    seen |= {path: await anas.get(path) for path in inside if plain(path)}
    assert len(inside) > 10
    assert {path: found for path, each in seen.items() if (found := acting(each.html))} == {}
    assert any("alert(1)" in each.words for each in seen.values())


async def test_what_stands_in_an_address_acts_on_no_page(anas: Visiting) -> None:
    query = "&".join(f"{name}={quote(ACTING)}" for name in QUERY)
    paths = [page.path.replace("{", "").replace("}", quote(ACTING, safe="")) for page in PAGES if page.method == "GET"]
    found = {}
    for path in filter(plain, paths):
        page = await anas.get(f"{path}?{query}")
        found[path] = (page.status < 500, acting(page.html))
    assert {path: each for path, each in found.items() if each != (True, [])} == {}


@pytest.mark.parametrize("path", ["/nowhere/", "/admin/", "/d/", "/login/", "/setup/", "/static/"])
async def test_what_is_missing_is_not_repeated_as_markup(anas: Visiting, path: str) -> None:
    page = await anas.get(path + quote(ACTING, safe=""))
    assert (page.status < 500, acting(page.html)) == (True, [])


# ---- names of hosts --------------------------------------------------------------------------------------------------

HOSTS = ("evil.example", "127.0.0.1@evil.example", "evil.example#", "[::1", "a b", "x" * 300)


@pytest.mark.parametrize("host", HOSTS)
async def test_the_name_by_which_somebody_calls_us_becomes_no_link(world: World, host: str) -> None:
    async with Visiting(world) as browser:
        page = await browser.get("/login")
        form = {"email": MIA, "seal": page.seal, "next": f"//{host}/"}
        more = {"Host": host, "X_Forwarded_Host": "evil.example", "Forwarded": "host=evil.example"}
        sent = await browser.post_raw("/login", form, **more)
    assert (sent.status, sent.headers["Location"]) == (303, "/login/sent")
    letter = (await world.mail.wait_for(1, to=MIA))[0]
    assert [link for link in letter.links if not link.startswith(f"{world.address}/")] == []


@pytest.mark.parametrize("host", HOSTS)
async def test_the_name_by_which_somebody_calls_us_stands_on_no_page(world: World, host: str) -> None:
    async with world.http.get(f"{world.address}/admin", headers={"Host": host}, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/login?next=/admin")


async def test_a_card_and_its_address_name_our_own_host_alone(world: World) -> None:
    asked = await world.call(
        "POST",
        "/api/v1/interactions",
        {"kind": "blocked_action", "payload": {"agent": "A", "tool": "t"}, "audience": {"operators": [MIA]}},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    )
    letter = (await world.mail.wait_for(1, to=MIA))[0]
    assert str(asked["url"]).startswith(f"{world.address}/")
    assert "evil.example" not in letter.html


# ---- who a browser is ------------------------------------------------------------------------------------------------


async def test_a_session_that_was_planted_is_nobodys_after_signing_in(world: World) -> None:
    """Whoever can set a cookie in somebody's browser does not know the session that it gets."""
    planted = "planted-by-somebody-else-0123456789"
    async with Visiting(world) as browser:
        browser.http.cookie_jar.update_cookies({"gatebell_session": planted})
        page = await browser.get("/login")
        await browser.post_raw("/login", {"email": MIA, "seal": page.seal})
        letter = (await world.mail.wait_for(1, to=MIA))[0]
        link = next(each for each in letter.links if "/login/" in each)
        opened = await browser.get(link)
        await browser.post_raw(link, {"seal": opened.seal})
        assert MIA in (await browser.get("/admin/me")).words
    async with Visiting(world) as another:
        another.http.cookie_jar.update_cookies({"gatebell_session": planted})
        assert (await another.get("/admin/me", follow=False)).status == 303


async def test_to_look_at_any_page_changes_nothing(world: World, anas: Visiting, data: Path) -> None:
    """A link, a picture or a prefetch of another site brings the cookie along."""
    asked = await world.ask_blocked([ANA])
    await world.shown_to_ana("Keep blocked")
    await world.kept()
    await anas.get("/admin/me")
    known = {"id": asked["id"], "name": "slack", "secret": await link_for(world, BEN), "ref": "x"}
    before = rows(data)
    for page in PAGES:
        if page.method == "GET":
            assert (await anas.get(page.path.format_map(known))).status < 500
    assert rows(data) == before


async def link_for(world: World, email: str) -> str:
    return await access_of(world).link(await world.operator_id(email), Purpose.SIGN_IN, LINK_LIVES)


def rows(data: Path) -> list[str]:
    """Everything that is kept, but for what notes the visit itself."""
    passing = ('"seen"', '"session"', '"channel_memory"')
    return [
        row
        for row in dump_of(data / "gatebell.db")
        if not row.startswith(tuple(f"INSERT INTO {each}" for each in passing))
    ]
