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
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.channels.http_addresses import NOTHING, Allowed, check_url, literal, may_call, refusal
from bot.version import USER_AGENT

TIMEOUT = ClientTimeout(total=30, sock_connect=5)
_DNS_SECONDS = 60
_KEEP_ALIVE_SECONDS = 60


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


async def check_resolved(url: str, allowed: Allowed = NOTHING) -> str:
    """Like check_url, and judges what the name resolves to now. A name that does not resolve is left to connecting."""
    stored = check_url(url, allowed)
    parsed = URL(stored)
    host, port = parsed.raw_host or "", parsed.port or 0
    if literal(host) is None:
        for address in await _resolve(host, port):
            if not may_call(host, port, ipaddress.ip_address(address.partition("%")[0]), allowed):
                raise ValueError(refusal(host))
    return stored


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(place[0]) for *_, place in found]
