"""Where the pages hang in the server. Their modules are imported when somebody first comes, not before.

A server that nobody looks at keeps the memory, and starts sooner.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from aiohttp import web
from yarl import URL

from bot.admin.site import Faces, Page, move, prepare, routes

PLACES = ("/admin", "/login", "/logout", "/setup")


def hang(application: web.Application, faces: Faces) -> None:
    """Pages under their addresses; `/` leads to the first of them."""
    prepare(application, faces)
    once = asyncio.Lock()
    loaded: list[web.UrlDispatcher] = []

    async def load() -> web.UrlDispatcher:
        async with once:
            if not loaded:
                loaded.append(_dispatcher(await asyncio.to_thread(_pages), faces))
        return loaded[0]

    for place in PLACES:
        application.router.register_resource(Room(place, load))
    application.router.add_get("/", _home)


async def _home(_: web.Request) -> web.StreamResponse:
    return move("/admin")


def _pages() -> Sequence[Page]:
    from bot.admin.pages import PAGES

    return PAGES


def _dispatcher(pages: Sequence[Page], faces: Faces) -> web.UrlDispatcher:
    dispatcher = web.UrlDispatcher()
    dispatcher.add_routes(routes(pages, faces))
    return dispatcher


class Room(web.AbstractResource):
    """All addresses below one, looked up in pages that are loaded when they are first asked for."""

    def __init__(self, place: str, load: Callable[[], Awaitable[web.UrlDispatcher]]) -> None:
        super().__init__()
        self._place = place
        self._load = load

    @property
    def canonical(self) -> str:
        return self._place

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        allowed: set[str] = set()
        for resource in (await self._load()).resources():
            found, methods = await resource.resolve(request)
            if found is not None:
                return found, methods
            allowed |= methods
        return None, allowed

    def url_for(self, **kwargs: str) -> URL:
        return URL(self._place)

    def add_prefix(self, prefix: str) -> None:
        raise TypeError("pages have fixed addresses")

    def get_info(self) -> Any:
        return {"path": self._place}

    def raw_match(self, path: str) -> bool:
        return path == self._place

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())
