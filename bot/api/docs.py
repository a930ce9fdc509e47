"""/api/docs: the OpenAPI document for people, with nothing from anywhere else; plain text where files are missing."""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from bot.api.faces import Faces
from bot.api.openapi import document
from bot.api.operation import Operation

VENDOR = Path(__file__).parents[1] / "admin" / "static" / "vendor"
NEEDED = ("swagger-ui-bundle.js", "swagger-ui.css")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatebell API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="docs"><p><a href="/api/v1/openapi.json">The OpenAPI document</a></p></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"""
START = 'SwaggerUIBundle({url: "/api/v1/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null});\n'


def routes(operations: Sequence[Operation], faces: Faces) -> Sequence[web.RouteDef]:
    @lru_cache(maxsize=1)
    def spec(base_url: str) -> bytes:
        """Made when first asked for, as starting does not wait for it, and anew where the address was changed."""
        return json.dumps(document(operations, faces.kinds, base_url)).encode()

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(body=spec(faces.settings().base_url), content_type="application/json")

    async def page(_: web.Request) -> web.Response:
        if not all((VENDOR / name).is_file() for name in NEEDED):
            return web.Response(text=_plain(operations))
        return web.Response(text=PAGE, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    async def start(_: web.Request) -> web.Response:
        return web.Response(text=START, content_type="text/javascript")

    async def vendored(request: web.Request) -> web.StreamResponse:
        path = VENDOR / request.match_info["name"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    return [
        web.get("/api/v1/openapi.json", openapi),
        web.get("/api/docs", page),
        web.get("/api/docs/start.js", start),
        web.get(r"/api/docs/{name:swagger-ui-bundle\.js|swagger-ui\.css}", vendored),
    ]


def _plain(operations: Sequence[Operation]) -> str:
    lines = [f"{each.method:<6} {each.path}\n       {each.summary}." for each in operations]
    ending = "The whole document is at /api/v1/openapi.json; `make setup` installs the page that shows it."
    return "\n".join(["Gatebell API", "", *lines, "", ending, ""])
