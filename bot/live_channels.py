"""The channels as the settings of now make them. What is in flight ends on the channel that it began on."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.channels.contract import Channel, HasRoutes, Runs
from bot.settings import Settings
from bot.steady import forever

SHARED = ("BASE_URL", "ALLOWED_PRIVATE_HOSTS")  # what every channel is made of beside its own fields


class LiveChannels:
    """`make` makes one channel of the settings. Channels whose settings have not changed stay as they are."""

    def __init__(self, names: tuple[str, ...], make: Callable[[str, Settings], Channel]) -> None:
        self._names = names
        self._make = make
        self._channels: dict[str, Channel] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._started = False

    def __call__(self) -> Mapping[str, Channel]:
        return self._channels

    def build(self, settings: Settings) -> None:
        self._channels = {name: self._make(name, settings) for name in self._names}

    async def change(self, before: Settings, after: Settings) -> None:
        """Make anew what the change concerns."""
        common = any(before[name] != after[name] for name in SHARED)
        changed = [name for name, channel in self._channels.items() if common or _differs(channel, before, after)]
        for name in changed:
            self._channels = {**self._channels, name: self._make(name, after)}
            if self._started:
                await self._restart(name)

    async def run(self) -> None:
        """Keep the channels' own loops going until cancelled."""
        self._started = True
        try:
            for name in self._names:
                await self._restart(name)
            await asyncio.Event().wait()
        finally:
            self._started = False
            for task in self._running.values():
                task.cancel()

    async def _restart(self, name: str) -> None:
        old = self._running.pop(name, None)
        if old:
            old.cancel()
            await asyncio.gather(old, return_exceptions=True)
        channel = self._channels[name]
        if isinstance(channel, Runs) and not channel.missing():
            self._running[name] = asyncio.create_task(_kept_alive(name, channel), name=f"channel {name}")

    def routes(self) -> Middleware:
        """A middleware that leads to what the channels answer now: their addresses come and go with their settings."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.match_info.http_exception is None:
                return await handler(request)
            found = self._route(request.method, request.path)
            return await (found or handler)(request)

        return middleware

    def _route(self, method: str, path: str) -> Handler | None:
        for channel in self._channels.values():
            if isinstance(channel, HasRoutes):
                for route in channel.routes():
                    if (route.method, route.path) == (method, path):
                        return route.handler
        return None


def _differs(channel: Channel, before: Settings, after: Settings) -> bool:
    return any(before.get(field.name) != after.get(field.name) for field in channel.fields)


async def _kept_alive(name: str, channel: Runs) -> None:
    """A channel's own loop neither takes the server down with it nor stays away; one that ends by itself rests."""

    async def run() -> None:
        await channel.run()
        await asyncio.Event().wait()

    await forever(f"the loop of {name}", run)
