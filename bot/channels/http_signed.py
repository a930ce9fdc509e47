"""One signed call with JSON, as Standard Webhooks describes it: what webhooks and callbacks are."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aiohttp import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    InvalidURL,
)
from pydantic import JsonValue

from bot.channels.contract import DeliveryError, Reason
from bot.channels.http_session import Forbidden

TIMEOUT = ClientTimeout(total=10, sock_connect=5)
_LONGEST_PAUSE = 3600.0  # whoever asks for more has made a slip, or wants us silent


def signing_secret(text: str) -> str:
    """The stored form of a signing secret. Raises ValueError with a sentence."""
    bare = text.strip().removeprefix("whsec_")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not 24 <= len(key) <= 64:
        raise ValueError(
            "A signing secret is whsec_ and the base64 of 24 to 64 bytes, such as openssl rand -base64 32 prints."
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
        async with session.post(url, data=content, headers=headers, timeout=TIMEOUT, allow_redirects=False) as response:
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
    """Seconds from a Retry-After header, which holds seconds or a date, an hour at most; None for anything else."""
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_PAUSE)
    try:
        asked = (parsedate_to_datetime(value).astimezone(UTC) - at).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, asked), _LONGEST_PAUSE)
