"""A small app of nobody in particular, on its own port: it keeps what a platform sends and answers as told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[str]:
    """Serves the answer on every path; gives its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


def text(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words}


def section(words: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": words}}


def button(label: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": text(label), "action_id": label.lower(), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "decide", "elements": list(elements)}


def menu(*labels: str) -> dict[str, Any]:
    options = [{"text": text(label), "value": label.lower()} for label in labels]
    return {"type": "static_select", "action_id": "pick", "placeholder": text("Pick one"), "options": options}
