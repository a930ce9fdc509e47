"""The page behind a signed link: looking changes nothing, a form of our own decides, and outside text does nothing."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Literal

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Page

from bot.admin import decision
from bot.admin.web import error_pages, reads_html, set_up, static_routes
from interactions.card import Status
from interactions.model import Interaction, ReasonRule
from tests import axe
from tests.admin import questions
from tests.admin.desk import Desk

Client = TestClient[web.Request, web.Application]
Open = Callable[[Desk], Awaitable[Client]]
ANAS = "ana-1"
BROWSER = {"Accept": "text/html"}
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def visit() -> AsyncIterator[Open]:
    clients: list[Client] = []

    async def visit(desk: Desk) -> Client:
        app = web.Application(middlewares=[error_pages(reads_html)], client_max_size=10_000_000)
        set_up(app)
        pages = decision.routes(desk, keys=(b"key",), now=lambda: desk.now, base_url=lambda: "https://gatebell.example")
        app.add_routes([*pages, *static_routes()])
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield visit
    for client in clients:
        await client.close()


def seal_in(page: str) -> str:
    found = re.search(r'name="seal" value="([^"]+)"', page)
    assert found, "the page has no form"
    return found.group(1)


async def look(client: Client, token: str = ANAS) -> str:
    async with client.get(f"/d/{token}") as response:
        return await response.text()


async def post(
    client: Client,
    choice: str,
    token: str = ANAS,
    *,
    seal: str | None = None,
    headers: dict[str, str] | None = None,
    **inputs: str,
) -> ClientResponse:
    seal = seal_in(await look(client, token)) if seal is None else seal
    form = {"seal": seal, "choice": choice, **{f"input.{name}": value for name, value in inputs.items()}}
    return await client.post(f"/d/{token}", data=form, headers=SAME | (headers or {}), allow_redirects=False)


# ---- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "report-bot was blocked from drive.delete",
        "<strong>destructive-actions</strong>",
        "Ana (ana@example.com)",
        "report-bot for cleo@example.com",
        "in 30 minutes",
        "21 November 2026, 12:30 UTC",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "2026-Q4.xlsx",
        "Keep blocked",
    ],
)
async def test_the_page_shows_the_whole_request(visit: Open, words: str) -> None:
    assert words in await look(await visit(Desk(questions.blocked())))


@pytest.mark.parametrize(
    "method, headers",
    [
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)", "Sec-Fetch-Site": "cross-site"}),
        ("OPTIONS", {}),
        ("PUT", SAME),
    ],
)
async def test_looking_changes_nothing(visit: Open, method: str, headers: dict[str, str]) -> None:
    desk = Desk(questions.blocked())
    client = await visit(desk)
    for _ in range(3):
        async with client.request(method, "/d/ana-1?choice=approve", headers=headers):
            pass
    assert (desk.clicks, desk.interaction.status) == ([], Status.PENDING)


async def test_a_long_payload_is_there_to_its_last_character(visit: Open) -> None:
    question = questions.blocked().question.model_copy(update={"arguments": {"text": "x" * 200_000 + "END"}})
    page = await look(await visit(Desk(replace(questions.blocked(), question=question))))
    assert "x" * 200_000 + "END" in page


async def test_a_diff_is_coloured_and_loses_nothing(visit: Open) -> None:
    page = await look(await visit(Desk(questions.diff())))
    code = re.search(r"<code>(.*?)</code></pre>", page, re.DOTALL)
    assert code
    assert re.sub(r"<[^>]+>", "", code.group(1)) == questions.DIFF
    assert re.findall(r'<span class="(\w+)">', code.group(1)) == [
        "file", "file", "hunk", "removed", "added", "removed", "added",
    ]  # fmt: skip


async def test_somebody_who_was_not_asked_sees_no_form(visit: Open) -> None:
    page = await look(await visit(Desk(questions.blocked())), "cleo-1")
    assert ("You were not asked." in page, "<form" in page) == (True, False)


@pytest.mark.parametrize("token", ["nobody", "ana-1x", "%3Cscript%3E", "a" * 500])
async def test_an_unknown_link_says_so_in_plain_words(visit: Open, token: str) -> None:
    client = await visit(Desk(questions.blocked()))
    async with client.get(f"/d/{token}", headers=BROWSER) as response:
        page = await response.text()
    assert (response.status, "This link does not work" in page, "Ask for a new one" in page) == (404, True, True)


async def test_after_the_end_the_page_shows_how_it_ended(visit: Open) -> None:
    desk = Desk(questions.blocked())
    client = await visit(desk)
    desk.forward(hours=1)
    page = await look(client)
    assert ("Expired without an answer" in page, "<form" in page) == (True, False)


async def test_how_it_ended_is_said_once(visit: Open) -> None:
    client = await visit(Desk(questions.blocked()))
    await post(client, "approve")
    assert (await look(client)).count("Approved by Ana") == 1


@pytest.mark.parametrize(
    "name, value",
    [
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Robots-Tag", "noindex, nofollow"),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
    ],
)
@pytest.mark.parametrize("token, status", [("ana-1", 200), ("nobody", 404)])
async def test_the_page_is_kept_private(visit: Open, name: str, value: str, token: str, status: int) -> None:
    client = await visit(Desk(questions.blocked()))
    async with client.get(f"/d/{token}") as response:
        assert (response.status, response.headers[name]) == (status, value)


@pytest.mark.parametrize(
    "rule",
    ["default-src 'none'", "script-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"],
)
async def test_the_content_policy_lets_nothing_of_others_in(visit: Open, rule: str) -> None:
    client = await visit(Desk(questions.blocked()))
    async with client.get("/d/ana-1") as response:
        assert rule in response.headers["Content-Security-Policy"].split("; ")


async def test_everything_that_the_page_loads_is_ours_and_kept(visit: Open) -> None:
    client = await visit(Desk(questions.blocked()))
    loaded = re.findall(r'(?:href|src)="(?!#)([^"]+)"', await look(client))
    assert loaded
    for address in loaded:
        async with client.get(address) as response:
            assert (response.status, "immutable" in response.headers["Cache-Control"]) == (200, True)


# ---- deciding --------------------------------------------------------------------------------------------------------


async def test_the_form_decides_and_leads_back_to_the_page(visit: Open) -> None:
    client = await visit(Desk(questions.blocked()))
    response = await post(client, "approve")
    assert (response.status, response.headers["Location"]) == (303, "/d/ana-1")
    assert "Approved by Ana" in await look(client)


async def test_after_the_answer_the_page_says_that_it_can_be_closed(visit: Open) -> None:
    client = await visit(Desk(questions.blocked()))
    before = await look(client)
    await post(client, "approve")
    closing = "The answer counts. You can close this page."
    assert (closing in before, closing in await look(client)) == (False, True)


async def test_the_desk_learns_that_the_link_is_the_proof(visit: Open) -> None:
    desk = Desk(questions.blocked())
    await post(await visit(desk), "approve")
    assert [(each.token, each.person.platform, each.person.subject) for each in desk.clicks] == [
        ("ana-1", "link", "ana-1")
    ]


async def test_a_second_approval_is_waited_for(visit: Open) -> None:
    client = await visit(Desk(questions.blocked(approvals=2)))
    await post(client, "approve")
    assert "1 of 2 approvals: Ana" in await look(client)


async def test_a_late_answer_is_told_who_decided(visit: Open) -> None:
    client = await visit(Desk(questions.blocked()))
    seal = seal_in(await look(client, "ben-1"))
    await post(client, "approve")
    response = await post(client, "keep_blocked", "ben-1", seal=seal)
    page = await response.text()
    assert (response.status, "Approved by Ana" in page, "<form" in page) == (409, True, False)


async def test_a_missing_reason_keeps_what_was_typed(visit: Open) -> None:
    client = await visit(Desk(questions.blocked(ReasonRule.REQUIRED_ON_DENIAL)))
    response = await post(client, "keep_blocked", reason="x" * 2001)
    page = await response.text()
    assert (response.status, "at most 2000 characters" in page, "x" * 2001 in page) == (422, True, True)


async def test_only_the_choice_that_needs_a_reason_asks_for_it(visit: Open) -> None:
    page = await look(await visit(Desk(questions.blocked(ReasonRule.REQUIRED_ON_DENIAL))))
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    assert [("Reason" in form, 'value="approve"' in form) for form in forms] == [(False, True), (True, False)]


async def test_a_reason_is_handed_on(visit: Open) -> None:
    desk = Desk(questions.blocked(ReasonRule.REQUIRED_ON_DENIAL))
    await post(await visit(desk), "keep_blocked", reason="Not before the audit")
    assert desk.clicks[0].inputs == {"reason": "Not before the audit"}


async def test_an_unknown_choice_changes_nothing(visit: Open) -> None:
    desk = Desk(questions.blocked())
    response = await post(await visit(desk), "delete_everything")
    assert (response.status, desk.interaction.status) == (422, Status.PENDING)


# ---- forms of others -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
)
async def test_a_form_of_another_site_is_refused(visit: Open, headers: dict[str, str]) -> None:
    desk = Desk(questions.blocked())
    response = await post(await visit(desk), "approve", headers=headers)
    assert (response.status, desk.clicks, len(desk.refusals)) == (403, [], 1)


async def test_guessing_links_fills_no_log(visit: Open) -> None:
    desk = Desk(questions.blocked())
    response = await post(await visit(desk), "approve", "nobody", seal="1.2")
    assert (response.status, desk.refusals) == (403, [])


@pytest.mark.parametrize("seal", ["", "1.2", "ä.ö", f"{10**11}.", "x" * 5000])
async def test_a_form_without_our_seal_is_refused(visit: Open, seal: str) -> None:
    desk = Desk(questions.blocked())
    response = await post(await visit(desk), "approve", seal=seal)
    assert (response.status, desk.clicks) == (403, [])


async def test_a_seal_of_another_link_is_refused(visit: Open) -> None:
    desk = Desk(questions.blocked())
    client = await visit(desk)
    response = await post(client, "approve", "ana-1", seal=seal_in(await look(client, "ben-1")))
    assert (response.status, desk.clicks) == (403, [])


async def test_a_page_that_was_open_for_a_day_asks_again(visit: Open) -> None:
    desk = Desk(replace(questions.blocked(), expires_at=None))
    client = await visit(desk)
    seal = seal_in(await look(client))
    desk.forward(hours=13)
    response = await post(client, "approve", seal=seal)
    assert (response.status, desk.clicks, "open for a long time" in await response.text()) == (409, [], True)


@pytest.mark.parametrize("origin", ["null", "https://gatebell.example", "own"])
async def test_a_browser_without_fetch_metadata_may_decide(visit: Open, origin: str) -> None:
    desk = Desk(questions.blocked())
    client = await visit(desk)
    seal = seal_in(await look(client))
    own = str(client.make_url("/").origin())
    headers = {"Origin": own if origin == "own" else origin}
    async with client.post("/d/ana-1", data={"seal": seal, "choice": "approve"}, headers=headers):
        pass
    assert len(desk.clicks) == 1


@pytest.mark.parametrize(
    "kind, body",
    [
        ("application/x-www-form-urlencoded", b"seal=\xff\xfe&choice=%ff"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"seal=1"),
        ("application/json", b'{"choice": "approve"}'),
        ("multipart/form-data; boundary=x", b"not multipart"),
        ("multipart/form-data", b"--"),
        ("text/plain", b"choice=approve"),
    ],
)
async def test_a_malformed_form_is_refused(visit: Open, kind: str, body: bytes) -> None:
    desk = Desk(questions.blocked())
    client = await visit(desk)
    async with client.post("/d/ana-1", data=body, headers=SAME | BROWSER | {"Content-Type": kind}) as response:
        assert (response.status in {400, 415}, desk.clicks) == (True, [])


async def test_too_much_text_gets_a_page_that_says_so(visit: Open) -> None:
    desk = Desk(questions.blocked())
    client = await visit(desk)
    async with client.post("/d/ana-1", data={"seal": "x" * 300_000}, headers=SAME | BROWSER) as response:
        assert (response.status, "too much text" in await response.text()) == (413, True)


# ---- text from outside -----------------------------------------------------------------------------------------------


async def test_markup_from_outside_is_text(visit: Open) -> None:
    page = await look(await visit(Desk(questions.hostile())))
    assert re.findall(r"<script|<img src=(?!./static/)|<b>|<form action|href=.javascript", page) == []


async def test_a_link_shows_where_it_leads(visit: Open) -> None:
    page = await look(await visit(Desk(questions.hostile())))
    assert re.search(r'<a href="https://evil.example/"[^>]*>bank</a> \(evil.example\)', page)


async def test_characters_that_deceive_are_written_out_in_the_payload(visit: Open) -> None:
    page = await look(await visit(Desk(questions.hostile())))
    assert ("\u202e" in page, "\x00" in page, r"x\u202ecod.exe\u202c" in page) == (False, False, True)


# ---- in a browser ----------------------------------------------------------------------------------------------------


async def shown(page: Page, visit: Open, interaction: Interaction) -> tuple[Desk, list[str]]:
    """The page of Ana, and what the browser complained about."""
    desk = Desk(interaction)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    client = await visit(desk)
    await page.goto(str(client.make_url("/d/ana-1")))
    return desk, complaints


async def test_a_person_approves_in_a_browser(page: Page, visit: Open) -> None:
    _, complaints = await shown(page, visit, questions.blocked())
    await page.get_by_role("button", name="Approve").click()
    assert "Approved by Ana" in await page.get_by_role("status").inner_text()
    assert complaints == []


async def test_it_works_without_script(browser: object, visit: Open, page: Page) -> None:
    assert page.context.browser is not None
    context = await page.context.browser.new_context(java_script_enabled=False)
    bare = await context.new_page()
    desk, _ = await shown(bare, visit, questions.clarification())
    await bare.get_by_role("button", name="APAC").click()
    await bare.locator(".outcome").wait_for()
    assert desk.clicks[0].choice == "apac"
    await context.close()


async def test_the_browser_insists_on_a_needed_reason(page: Page, visit: Open) -> None:
    desk, _ = await shown(page, visit, questions.blocked(ReasonRule.REQUIRED_ON_DENIAL))
    await page.get_by_role("button", name="Keep blocked").click()
    assert await page.evaluate("document.activeElement.name") == "input.reason"
    assert desk.clicks == []


async def test_the_keyboard_reaches_the_answer(page: Page, visit: Open) -> None:
    desk, _ = await shown(page, visit, questions.blocked())
    for _ in range(3):
        await page.keyboard.press("Tab")
    focused = await page.evaluate("document.activeElement.innerText.trim()")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".outcome")
    assert (focused, desk.interaction.status) == ("Approve", Status.DECIDED)


async def test_hostile_text_does_nothing_in_a_browser(page: Page, visit: Open) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    _, complaints = await shown(page, visit, questions.hostile())
    assert await page.title() != "owned"
    assert [url for url in asked if "evil" in url] == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_the_page(page: Page, visit: Open, scheme: Literal["light", "dark"]) -> None:
    await page.emulate_media(color_scheme=scheme)
    found = []
    for interaction in (questions.blocked(ReasonRule.REQUIRED_ON_DENIAL), questions.diff(), questions.clarification()):
        await shown(page, visit, interaction)
        await page.evaluate(axe.script())
        seen = await page.evaluate("axe.run()")
        found += [f"{each['id']}: {node['html']}" for each in seen["violations"] for node in each["nodes"]]
    assert found == []


@pytest.mark.parametrize("name", ["blocked", "diff", "clarification", "hostile"])
async def test_nothing_runs_out_of_the_window(page: Page, visit: Open, name: str) -> None:
    await shown(page, visit, getattr(questions, name)())
    widths = {}
    for width in (320, 360, 768, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        widths[width] = await page.evaluate("document.documentElement.scrollWidth")
    assert widths == {width: width for width in widths}
