"""What every page shares: errors in words for people, headers for browsers, files of ours alone."""

import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.admin.web import OWN_SCRIPT, STATIC, error_pages, policy, reads_html, set_up, static_routes
from tests.stories.world import World

Client = TestClient[web.Request, web.Application]
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def broken(request: web.Request) -> web.Response:
    raise RuntimeError("hush")


async def busy(request: web.Request) -> web.Response:
    raise web.HTTPServiceUnavailable


async def moved(request: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere")


async def scripted(request: web.Request) -> web.Response:
    return web.Response(headers={"Content-Security-Policy": policy(OWN_SCRIPT)})


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[error_pages(reads_html)])
    set_up(app)
    app.add_routes([web.get(f"/{each.__name__}", each) for each in (broken, busy, moved, scripted)])
    app.add_routes([web.get("/api/busy", busy), *static_routes()])
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    "path, status, words",
    [
        ("/broken", 500, "Something went wrong on our side"),
        ("/busy", 503, "Not now"),
        ("/nowhere", 404, "There is nothing here"),
    ],
)
async def test_a_person_reads_what_went_wrong(client: Client, path: str, status: int, words: str) -> None:
    async with client.get(path, headers=BROWSER) as response:
        assert (response.status, words in await response.text()) == (status, True)


async def test_an_error_page_tells_nothing_of_the_inside(client: Client) -> None:
    async with client.get("/broken", headers=BROWSER) as response:
        page = await response.text()
    assert not [word for word in ("hush", "RuntimeError", "Traceback") if word in page]


async def test_what_broke_is_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        async with client.get("/broken", headers=BROWSER):
            pass
    assert "RuntimeError: hush" in caplog.text


@pytest.mark.parametrize("path, headers", [("/api/busy", BROWSER), ("/busy", {"Accept": "application/json"})])
async def test_a_program_gets_no_page(client: Client, path: str, headers: dict[str, str]) -> None:
    async with client.get(path, headers=headers) as response:
        assert (response.status, response.content_type) == (503, "text/plain")


async def test_a_redirect_passes(client: Client) -> None:
    async with client.get("/moved", headers=BROWSER, allow_redirects=False) as response:
        assert response.headers["Location"] == "/elsewhere"


async def test_a_page_may_choose_to_run_our_own_script(client: Client) -> None:
    async with client.get("/scripted") as response:
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/nowhere", "/busy", "/static/gatebell.css", "/api/busy"])
async def test_no_answer_may_be_framed_or_guessed_at(client: Client, path: str) -> None:
    async with client.get(path) as response:
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/../web.py", "/static/%2e%2e/web.py", "/static/..%2fweb.py", "/static/"])
async def test_no_other_file_is_handed_out(client: Client, path: str) -> None:
    async with client.get(URL(path, encoded=True)) as response:
        assert response.status == 404


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 2000, "%00", "vendor", "gatebell.css/x", "%ff"])
async def test_a_name_that_no_file_of_ours_has_leaves_no_trace(
    world: World, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.clear()
    async with (
        ClientSession() as http,
        http.get(URL(f"{world.address}/static/{name}", encoded=True), headers=BROWSER) as response,
    ):
        said = await response.text()
    assert (response.status, "There is nothing here" in said, caplog.text) == (404, True, "")


@pytest.mark.parametrize("name, kind", [("gatebell.css", "text/css"), ("bell.svg", "image/svg+xml")])
async def test_a_file_of_ours_is_handed_out_as_what_it_is(world: World, name: str, kind: str) -> None:
    async with ClientSession() as http, http.get(f"{world.address}/static/{name}") as response:
        assert (response.status, response.content_type, await response.read()) == (
            200,
            kind,
            (STATIC / name).read_bytes(),
        )


async def test_a_file_without_its_version_is_asked_for_again(client: Client) -> None:
    async with client.get("/static/gatebell.css") as response:
        assert response.headers["Cache-Control"] == "no-cache"
