"""Decision links in the hands of scanners, other sites and forgers: only a form of the page itself decides."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.page import Page
from tests.stories.world import ANA, MIA, Answered, Platforms, World, installed


async def mailed(world: World) -> tuple[Answered, Page]:
    asked = await world.ask_blocked([MIA])
    await world.shown_to_mia()
    return asked, await world.page_of()


async def status_of(world: World, asked: Answered) -> str:
    return str((await world.see(asked["id"]))["status"])


# ---- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method, headers",
    [
        ("GET", {}),
        ("HEAD", {}),
        ("OPTIONS", {}),
        ("PUT", {}),
        ("DELETE", {}),
        ("GET", {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"}),
        ("GET", {"User-Agent": "Mozilla/5.0 (compatible; LinkScanner/1.0)", "Sec-Fetch-Site": "cross-site"}),
    ],
    ids=str,
)
async def test_looking_changes_nothing(world: World, method: str, headers: dict[str, str]) -> None:
    asked, page = await mailed(world)
    for query in ("", "?choice=approve", "?choice=approve&seal=x"):
        async with world.http.request(method, page.url + query, headers=headers):
            pass
    assert await status_of(world, asked) == "pending"


async def test_a_scanner_that_presses_without_the_seal_is_refused(world: World) -> None:
    asked, page = await mailed(world)
    assert (await page.post("approve", seal="")).status == 403
    assert await status_of(world, asked) == "pending"


async def test_after_many_scanners_the_person_still_decides(world: World) -> None:
    asked, page = await mailed(world)
    await asyncio.gather(*(world.page_at(page.url) for _ in range(30)))
    assert (await page.press("Approve")).status == 200
    assert await status_of(world, asked) == "decided"


async def test_looking_is_not_audited_as_a_refusal(world: World) -> None:
    _, page = await mailed(world)
    before = await world.audit()
    await world.page_at(page.url)
    assert await world.audit() == before


# ---- other sites -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused_and_audited(world: World, headers: dict[str, str]) -> None:
    asked, page = await mailed(world)
    posted = await page.post("approve", headers=headers)
    assert (posted.status, await status_of(world, asked)) == (403, "pending")
    assert (await world.audit())[-1][0] == "click.refused"


@pytest.mark.parametrize("name", ["X-Frame-Options", "Content-Security-Policy", "Referrer-Policy", "Cache-Control"])
async def test_the_page_is_neither_framed_nor_kept_nor_told_of(world: World, name: str) -> None:
    _, page = await mailed(world)
    right = {
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": "frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    assert right[name] in page.headers[name]


# ---- forged links ----------------------------------------------------------------------------------------------------


def cut(token: str) -> str:
    return token[:-3]


def flipped(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def another_copy(token: str) -> str:
    return "0" * 26 + token[26:]


def another_digest(token: str) -> str:
    delivery, _, mac = token.split(".")
    return f"{delivery}.{'0' * 16}.{mac}"


def nonsense(token: str) -> str:
    return "%3Cscript%3E"


def not_ascii(token: str) -> str:
    return "%C3%BC" + token


def endless(token: str) -> str:
    return token * 50


FORGED = (cut, flipped, another_copy, another_digest, nonsense, not_ascii, endless)


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
async def test_a_forged_link_shows_nothing(world: World, forge: Callable[[str], str]) -> None:
    _, page = await mailed(world)
    start, _, token = page.url.rpartition("/")
    shown = await world.page_at(f"{start}/{forge(token)}")
    assert (shown.status, "Archivist" in shown.text) == (404, False)


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
async def test_a_forged_link_decides_nothing(world: World, forge: Callable[[str], str]) -> None:
    asked, page = await mailed(world)
    start, _, token = page.url.rpartition("/")
    forged = Page(world.http, f"{start}/{forge(token)}", 0, page.html, {})
    assert (await forged.post("approve")).status in {403, 404}
    assert await status_of(world, asked) == "pending"


async def test_the_token_of_a_button_opens_no_page(world: World) -> None:
    await world.ask_blocked()
    await world.shown_to_all()
    token = world.slack.dm("ana@example.com").payload("Approve")["actions"][0]["value"]
    assert (await world.page_at(f"{world.address}/d/{token}")).status == 404


async def test_the_seal_of_one_page_does_not_fit_another(world: World) -> None:
    _, first = await mailed(world)
    asked = await world.ask("blocked_action", {"agent": "A", "tool": "t"}, [MIA])
    await world.shown_to_mia(letters=2)
    second = await world.page_of()
    assert (await second.post("approve", seal=first.seal)).status == 403
    assert await status_of(world, asked) == "pending"


async def test_a_page_that_was_open_for_a_day_asks_again(world: World) -> None:
    asked, page = await mailed(world)
    await world.forward(hours=24)
    late = await page.press("Approve")
    assert (late.status, "open for a long time" in late.text) == (409, True)
    assert (await late.press("Approve")).status == 200
    assert await status_of(world, asked) == "decided"


@pytest.mark.parametrize("choice", ["", "approve_all", "Approve", "approve\n", "keep_blocked,approve"])
async def test_a_choice_that_is_not_offered_decides_nothing(world: World, choice: str) -> None:
    asked, page = await mailed(world)
    assert (await page.post(choice)).status in {409, 422}
    assert await status_of(world, asked) == "pending"


async def test_a_used_link_decides_nothing_more(world: World) -> None:
    asked, page = await mailed(world)
    await page.press("Keep blocked")
    again = await page.press("Approve")
    assert (again.status, "Already decided: Kept blocked by Mia at " in again.text) == (409, True)
    assert (await world.see(asked["id"]))["decision"]["choice"] == "keep_blocked"


async def test_the_form_takes_no_more_than_it_needs(world: World) -> None:
    asked, page = await mailed(world)
    posted = await page.post("approve", {"reason": "x" * 1_000_000})
    assert (posted.status, await status_of(world, asked)) == (413, "pending")


# ---- headers ---------------------------------------------------------------------------------------------------------

NOOR = "noor@example.com"


@pytest.mark.parametrize("name", ["Noor\r\nBcc: cleo@example.com", "Noor\nSubject: Pay", "Noor\u2028Bcc: x"])
async def test_a_name_of_several_lines_is_refused(world: World, name: str) -> None:
    added = await world.call("POST", "/api/v1/operators", {"email": NOOR, "name": name})
    assert (added.status, added["errors"][0]["field"]) == (422, "name")


@pytest.mark.parametrize(
    "name", ["<cleo@example.com>, Noor", "cleo@example.com,", '"Noor" \\', "=?utf-8?q?Noor=0ABcc:x?="]
)
async def test_a_name_becomes_no_reader(world: World, name: str) -> None:
    assert (await world.call("POST", "/api/v1/operators", {"email": NOOR, "name": name})).status == 201
    await world.ask_blocked([NOOR])
    letter = (await world.mail.wait_for(1, to=NOOR))[0]
    assert (letter.recipients, letter.header("Bcc")) == ((NOOR,), "")
    assert [each.addr_spec for each in letter.message["To"].addresses] == [NOOR]


@pytest.mark.parametrize(
    "summary",
    [
        "Down\r\nBcc: cleo@example.com",
        "Down\nTo: cleo@example.com",
        "Down\x00\x0bCc: x",
        "Down =?utf-8?q?=0ABcc:_cleo=40example.com?=",
    ],
)
async def test_a_summary_becomes_no_header(platforms: Platforms, data: Path, summary: str) -> None:
    async with installed(platforms, data, install_teams=False, CHAIN="email") as world:
        await world.tell("demo.event", summary, severity="high")
        letter = (await world.mail.wait_for(1, to=ANA))[0]
    assert (letter.recipients, letter.to, letter.header("Bcc"), letter.header("Cc")) == ((ANA,), f"Ana <{ANA}>", "", "")
    assert letter.subject.startswith("[HIGH] Alert: Down")


FOLDED = (
    b"Idempotency-Key: a\r\n b",
    b"Idempotency-Key: a\nX-Evil: 1",
    b"Idempotency-Key: a\rb",
    b"Idempotency-Key: \x00",
)


@pytest.mark.parametrize("line", FOLDED)
async def test_a_header_that_hides_another_is_refused(world: World, line: bytes) -> None:
    """Written by hand: no client that keeps to the rules can send it."""
    host, _, port = world.address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET /api/v1/interactions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {world.key}\r\n".encode()
    writer.write(head + line + b"\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ")[1] == b"400"
    assert b"X-Evil" not in answer.partition(b"\r\n\r\n")[0]
