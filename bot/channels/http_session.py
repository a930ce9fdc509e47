"""The shared HTTP session, and the guarded one for addresses that others gave us."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from aiohttp import (
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DefaultResolver,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.channels.http_addresses import NOTHING, Allowed, check_url, literal, may_call, refusal
from bot.version import USER_AGENT

TIMEOUT = ClientTimeout(total=30, sock_connect=5)
LOOK_UP_SECONDS = 3.0
_DNS_SECONDS = 60
_KEEP_ALIVE_SECONDS = 60
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def shared_session() -> ClientSession:
    """For the platforms that the owner configured. Made once; connections and names are kept."""
    connector = TCPConnector(
        limit=600, limit_per_host=200, keepalive_timeout=_KEEP_ALIVE_SECONDS, ttl_dns_cache=_DNS_SECONDS
    )
    return _session(connector)


def guarded_session(allowed: Callable[[], Allowed], resolver: AbstractResolver | None = None) -> ClientSession:
    """For addresses that others gave: no connection is made to a private address that the owner has not allowed.

    The address is judged when the socket is made. So it does not matter how it was written, what the name resolved to
    earlier, or whether a redirect led there.
    """

    def make_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = info
        host, port = _called.get()
        if not may_call(host, port, ipaddress.ip_address(place[0].partition("%")[0]), allowed()):
            raise Forbidden
        return socket.socket(family, kind, protocol)

    connector = TCPConnector(
        limit=200, limit_per_host=50, ttl_dns_cache=_DNS_SECONDS, resolver=resolver, socket_factory=make_socket
    )
    return _session(connector, _name_the_called)


class Forbidden(PermissionError):
    """A connection to an address that is neither public nor allowed. Says the same for every address of a name."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "not a public address")


_called: ContextVar[tuple[str, int]] = ContextVar("called", default=("", 0))


async def _name_the_called(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Tells the socket, which knows an address only, for which host and port it is made; runs again for a redirect."""
    before = _called.set((request.url.raw_host or "", request.url.port or 0))
    try:
        return await handler(request)
    finally:
        _called.reset(before)


def _session(connector: TCPConnector, *middlewares: Any) -> ClientSession:
    return ClientSession(
        connector=connector,
        headers={"User-Agent": USER_AGENT},
        timeout=TIMEOUT,
        cookie_jar=DummyCookieJar(),
        middlewares=middlewares,
    )


async def check_resolved(
    url: str, allowed: Allowed = NOTHING, resolver: AbstractResolver | None = None, seconds: float = LOOK_UP_SECONDS
) -> str:
    """Like check_url, and judges what the name resolves to now; a name that does not exist is refused.

    Where nobody answers about a name in time, connecting judges it: a name server that is away costs no request.
    """
    stored = check_url(url, allowed)
    parsed = URL(stored)
    host, port = parsed.raw_host or "", parsed.port or 0
    if literal(host) is None:
        for address in await _addresses(resolver or DefaultResolver(), host, port, seconds):
            if not may_call(host, port, ipaddress.ip_address(address.partition("%")[0]), allowed):
                raise ValueError(refusal(host))
    return stored


async def _addresses(resolver: AbstractResolver, host: str, port: int, seconds: float) -> list[str]:
    try:
        async with asyncio.timeout(seconds):
            found = await resolver.resolve(host, port, socket.AF_UNSPEC)
    except OSError as error:  # a time-out is one too
        if error.errno in _NO_SUCH_NAME:
            raise ValueError(f"There is no host called {host}. Check how it is written.") from None
        return []
    return [each["host"] for each in found]
