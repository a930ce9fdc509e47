"""The demo's own addresses: the page, its files, one live picture of everything, and the presses."""

import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.rehearsal.demo.live import Live
from bot.rehearsal.demo.presses import Presses
from bot.rehearsal.demo.stage import Stage
from bot.rehearsal.platform import Json

HERE = Path(__file__).parent / "static"
QUIET = 15.0  # seconds after which a silent stream says that it is alive
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
# A mail brings its own styles and must do nothing else: no script, no address but that of a link that is pressed.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
# A mail program of a narrow window: links open beside it, and the letters are a little smaller.
IN_A_PANE = '<base target="_blank"><style>body { zoom: 0.86; }</style>'
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

Answered = Callable[[Mapping[str, Any], web.Request], Awaitable[str]]


class Page:
    """`picture` is everything that the page draws; `files` are further files that it loads, by name."""

    def __init__(
        self,
        stage: Stage,
        presses: Presses,
        live: Live,
        picture: Callable[[], Json],
        start: Callable[[str], None],
        turn: Callable[[str, str], Awaitable[None]],
        kill: Callable[[], bool],
        files: Mapping[str, Path],
    ) -> None:
        self._stage = stage
        self._presses = presses
        self._live = live
        self._picture = picture
        self._start = start
        self._turn = turn
        self._kill = kill
        self._files = {path.name: path for path in HERE.iterdir()} | dict(files)

    def serve(self, app: web.Application) -> None:
        app.router.add_get("/", self._page)
        app.router.add_get("/demo/live", self._stream)
        app.router.add_get("/demo/mail/{number:[0-9]+}", self._mail)
        app.router.add_get("/demo/{name}", self._file)
        posts: Mapping[str, Answered] = {
            "/demo/scenarios/{name}": self._scenario,
            "/demo/switches/{channel}": self._switch,
            "/demo/kill": self._killed,
            "/demo/slack/click": self._slack_click,
            "/demo/slack/submit": self._slack_submit,
            "/demo/slack/close": self._slack_close,
            "/demo/slack/say": self._slack_say,
            "/demo/teams/click": self._teams_click,
            "/demo/teams/say": self._teams_say,
        }
        for path, answer in posts.items():
            app.router.add_post(path, _checked(answer))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(HERE / "demo.html", headers={**HEADERS, "Content-Security-Policy": POLICY})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._files.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound(text="There is no such file.\n")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return web.FileResponse(path, headers={**HEADERS, "Content-Type": kind})

    async def _mail(self, request: web.Request) -> web.StreamResponse:
        letters = self._stage.mail.letters
        number = int(request.match_info["number"])
        if number >= len(letters):
            raise web.HTTPNotFound(text="There is no such mail.\n")
        html = letters[number].html.replace("<head>", f"<head>{IN_A_PANE}", 1)
        headers = {**HEADERS, "Content-Security-Policy": MAIL_POLICY}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
        await stream.prepare(request)
        last = ""
        with suppress(ConnectionResetError):
            async for changed in self._live.changes(QUIET):
                picture = json.dumps(self._picture()) if changed else ""
                if picture and picture != last:
                    await stream.write(f"data: {picture}\n\n".encode())
                    last = picture
                elif not changed:
                    await stream.write(b": still here\n\n")
        return stream

    async def _scenario(self, given: Mapping[str, Any], request: web.Request) -> str:
        self._start(request.match_info["name"])
        return ""

    async def _switch(self, given: Mapping[str, Any], request: web.Request) -> str:
        await self._turn(request.match_info["channel"], str(given["to"]))
        return ""

    async def _killed(self, given: Mapping[str, Any], request: web.Request) -> str:
        return "" if self._kill() else "The server is not running at this moment."

    async def _slack_click(self, given: Mapping[str, Any], request: web.Request) -> str:
        option = str(given.get("option") or "")
        return await self._presses.slack_click(str(given["message"]), str(given["action"]), option)

    async def _slack_submit(self, given: Mapping[str, Any], request: web.Request) -> str:
        answers = {str(name): str(answer) for name, answer in dict(given["answers"]).items()}
        return await self._presses.slack_submit(str(given["view"]), answers)

    async def _slack_close(self, given: Mapping[str, Any], request: web.Request) -> str:
        return await self._presses.slack_close(str(given["view"]))

    async def _slack_say(self, given: Mapping[str, Any], request: web.Request) -> str:
        return await self._presses.slack_say(_text(given))

    async def _teams_click(self, given: Mapping[str, Any], request: web.Request) -> str:
        chosen = dict(given["data"])
        return await self._presses.teams_click(str(given["who"]), str(given["message"]), str(given["verb"]), chosen)

    async def _teams_say(self, given: Mapping[str, Any], request: web.Request) -> str:
        return await self._presses.teams_say(str(given["who"]), _text(given))


def _text(given: Mapping[str, Any]) -> str:
    text = str(given["text"]).strip()[:2000]
    if not text:
        raise LookupError("there is nothing to say")
    return text


def _checked(answer: Answered) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Only this page may press: JSON cannot be posted by another site without asking, and its origin is told."""

    async def handler(request: web.Request) -> web.StreamResponse:
        from_here = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        if request.content_type != "application/json" or not from_here:
            raise web.HTTPForbidden(text="Only the demo's own page may do that.\n")
        try:
            given = await request.json()
            words = await answer(given, request)
        except LookupError as unknown:
            return web.json_response({"words": str(unknown).strip("'\"")}, status=404)
        except (ValueError, TypeError) as unfit:
            return web.json_response({"words": str(unfit)}, status=400)
        return web.json_response({"words": words})

    return handler
