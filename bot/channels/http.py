"""The shared HTTP session, the guarded one for addresses that others gave us, and the signed call that webhooks are."""

import asyncio
import base64
import binascii
import errno
import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from pydantic import JsonValue
from yarl import URL

from bot.channels.contract import DeliveryError, Reason
from bot.channels.http_addresses import NOTHING, Allowed, Network, check_form, check_url, literal, may_call, refusal
from bot.version import USER_AGENT

__all__ = [
    "NOTHING",
    "Allowed",
    "Network",
    "check_form",
    "check_resolved",
    "check_url",
    "guarded_session",
    "message_id",
    "post_signed",
    "retry_after",
    "shared_session",
    "signed",
    "signing_secret",
    "signing_secrets",
]

TIMEOUT = ClientTimeout(total=30, sock_connect=5)
SIGNED_TIMEOUT = ClientTimeout(total=10, sock_connect=5)
_DNS_SECONDS = 60
_KEEP_ALIVE_SECONDS = 60


# ---- sessions --------------------------------------------------------------------------------------------------------


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


# ---- signed calls (Standard Webhooks) --------------------------------------------------------------------------------


def signing_secret(text: str) -> str:
    """The stored form of a signing secret. Raises ValueError with a sentence."""
    bare = text.strip().removeprefix("whsec_")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not 24 <= len(key) <= 64:
        raise ValueError(
            "A signing secret is whsec_ and the base64 of 24 to 64 bytes, as `openssl rand -base64 32` makes."
        )
    return f"whsec_{bare}"


def signing_secrets(chosen: str, keys: Sequence[bytes]) -> tuple[str, ...]:
    """What calls are signed with, newest first: the owner's secret, or one from each key while keys rotate."""
    if chosen:
        return (signing_secret(chosen),)
    derived = (hmac.new(key, b"webhook secret", hashlib.sha256).digest() for key in keys)
    return tuple(f"whsec_{base64.b64encode(each).decode()}" for each in derived)


def message_id(*parts: str) -> str:
    """The same for the same parts, so that a receiver can tell a repetition."""
    return f"msg_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


async def post_signed(
    session: ClientSession,
    url: str,
    body: Mapping[str, JsonValue],
    *,
    message: str,
    secrets: Sequence[str],
    at: datetime,
    unauthorized: Reason = Reason.REFUSED,
) -> None:
    """One call with JSON, signed; only 2xx counts as taken. Raises DeliveryError.

    `unauthorized` is what 401 and 403 mean: the reader's own refusal, or that our whole channel is set up wrong.
    """
    content = canonical(body)
    headers = {"Content-Type": "application/json", **signed(content, message, secrets, at)}
    try:
        # The body of the answer is of no use, so it is never read; a longer one costs its sender the connection.
        async with session.post(
            url, data=content, headers=headers, timeout=SIGNED_TIMEOUT, allow_redirects=False
        ) as response:
            failure = _refused(response, unauthorized, at)
    except (ClientError, OSError, ValueError) as error:
        raise _failed(error) from None
    if failure:
        raise failure


def canonical(body: Mapping[str, JsonValue]) -> bytes:
    """The same bytes for the same content. ASCII, so that a lone surrogate from outside cannot break it."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def signed(content: bytes, message: str, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    from standardwebhooks import Webhook

    text = content.decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message, at.astimezone(UTC), text) for secret in secrets),
    }


_STATUS = {
    400: Reason.INVALID,
    405: Reason.INVALID,
    408: Reason.TIMED_OUT,
    410: Reason.REFUSED,
    413: Reason.TOO_LARGE,
    415: Reason.INVALID,
    422: Reason.INVALID,
    425: Reason.UNAVAILABLE,
    429: Reason.RATE_LIMITED,
}


def _refused(response: ClientResponse, unauthorized: Reason, at: datetime) -> DeliveryError | None:
    status = response.status
    if 200 <= status < 300:
        return None
    detail = f"it answered {status}"
    if 300 <= status < 400:
        return DeliveryError(Reason.REFUSED, f"{detail}, but redirects are not followed: give the final address")
    after = retry_after(response.headers.get("Retry-After", ""), at)
    if status >= 500:
        return DeliveryError(Reason.UNAVAILABLE, detail, after)
    reason = unauthorized if status in {401, 403} else _STATUS.get(status, Reason.REFUSED)
    return DeliveryError(reason, detail, after if reason.passes else None)


def _failed(error: Exception) -> DeliveryError:
    """The words never hold the address: it can be a secret of its own."""
    match error:
        case TimeoutError():
            return DeliveryError(Reason.TIMED_OUT, "it did not answer in time")
        case InvalidURL() | ValueError():
            return DeliveryError(Reason.INVALID, "its address is not one that can be called")
        case ClientConnectorDNSError():
            return DeliveryError(Reason.UNAVAILABLE, "its host name was not found")
        case ClientConnectorCertificateError():
            return DeliveryError(Reason.UNAVAILABLE, "its certificate is not trusted")
        case ClientConnectorError() if isinstance(error.os_error, Forbidden):
            return DeliveryError(
                Reason.REFUSED, "its address is not public, and ALLOWED_PRIVATE_HOSTS does not name it"
            )
        case ClientConnectorError():
            return DeliveryError(Reason.UNAVAILABLE, f"it could not be reached ({error.strerror or 'no connection'})")
        case ClientConnectionError():
            return DeliveryError(Reason.UNAVAILABLE, "it closed the connection without an answer")
        case _:
            return DeliveryError(Reason.UNAVAILABLE, "its answer was not HTTP")


def retry_after(value: str, at: datetime) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None for anything else."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - at).total_seconds())
    except ValueError:
        return None
