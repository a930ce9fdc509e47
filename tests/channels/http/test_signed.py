"""The signed call: what it carries, and what each answer means."""

import base64
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from standardwebhooks import Webhook

from bot.channels.contract import DeliveryError, Reason
from bot.channels.http import Allowed, guarded_session, post_signed, signing_secret, signing_secrets
from bot.channels.registry import channel_class
from tests.channels.http.edges import KEYS, NOON
from tests.channels.http.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with guarded_session(lambda: Allowed.parse("127.0.0.1")) as session:
        yield session


async def call(
    session: ClientSession,
    url: str,
    *,
    body: Mapping[str, str] | None = None,
    secrets: tuple[str, ...] = (SECRET,),
    at: datetime = NOON,
) -> None:
    await post_signed(session, url, body or {"b": "ü", "a": "1"}, message="msg_1", secrets=secrets, at=at)


async def refused(session: ClientSession, url: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await call(session, url)
    return caught.value


async def test_a_receiver_verifies_the_call_with_the_public_library(receiver: Receiver, session: ClientSession) -> None:
    await call(session, receiver.url, at=datetime.now(UTC))
    headers, body = receiver.calls[0]
    assert Webhook(SECRET).verify(body, headers) == {"a": "1", "b": "ü"}


async def test_the_body_is_the_same_bytes_for_the_same_content(receiver: Receiver, session: ClientSession) -> None:
    await call(session, receiver.url, body={"b": "1", "a": "2"})
    await call(session, receiver.url, body={"a": "2", "b": "1"})
    assert receiver.calls[0][1] == receiver.calls[1][1]


async def test_text_that_is_no_unicode_does_not_break_the_call(receiver: Receiver, session: ClientSession) -> None:
    await call(session, receiver.url, body={"text": "\ud800"})
    assert receiver.last_json == {"text": "\ud800"}


async def test_while_keys_rotate_the_older_secret_still_verifies(receiver: Receiver, session: ClientSession) -> None:
    newer, older = signing_secrets("", KEYS)
    await call(session, receiver.url, secrets=(newer, older), at=datetime.now(UTC))
    headers, body = receiver.calls[0]
    assert Webhook(older).verify(body, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_2xx_is_taken(receiver: Receiver, session: ClientSession, status: int) -> None:
    receiver.status = status
    await call(session, receiver.url)


@pytest.mark.parametrize(
    "status, reason",
    [
        (301, Reason.REFUSED),
        (302, Reason.REFUSED),
        (307, Reason.REFUSED),
        (400, Reason.INVALID),
        (401, Reason.REFUSED),
        (403, Reason.REFUSED),
        (404, Reason.REFUSED),
        (408, Reason.TIMED_OUT),
        (409, Reason.REFUSED),
        (410, Reason.REFUSED),
        (413, Reason.TOO_LARGE),
        (422, Reason.INVALID),
        (425, Reason.UNAVAILABLE),
        (429, Reason.RATE_LIMITED),
        (500, Reason.UNAVAILABLE),
        (503, Reason.UNAVAILABLE),
    ],
)
async def test_every_other_status_is_an_error_that_says_it(
    receiver: Receiver, session: ClientSession, status: int, reason: Reason
) -> None:
    receiver.status = status
    error = await refused(session, receiver.url)
    assert (error.reason, str(status) in error.detail) == (reason, True)


@pytest.mark.parametrize(
    "status, value, seconds",
    [
        (429, "30", 30.0),
        (503, "Sat, 21 Nov 2026 12:01:00 GMT", 60.0),
        (503, "Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        (429, "soon", None),
        (410, "30", None),
        (429, "9" * 400, 3600.0),
        (429, "Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        (429, "Fri, 31 Dec 9999 23:59:59 -2359", None),
    ],
)
async def test_retry_after_is_kept_where_trying_again_helps(
    receiver: Receiver, session: ClientSession, status: int, value: str, seconds: float | None
) -> None:
    receiver.status, receiver.headers = status, {"Retry-After": value}
    assert (await refused(session, receiver.url)).retry_after == seconds


async def test_a_redirect_is_not_followed(receiver: Receiver, session: ClientSession) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    await refused(session, receiver.url)
    assert len(receiver.calls) == 1


async def test_a_long_answer_is_not_read(receiver: Receiver, session: ClientSession) -> None:
    receiver.body = b"x" * 50_000_000
    started = datetime.now(UTC)
    await call(session, receiver.url)
    assert datetime.now(UTC) - started < timedelta(seconds=5)


async def test_a_cut_connection_passes(receiver: Receiver, session: ClientSession) -> None:
    receiver.status = 0
    assert (await refused(session, receiver.url)).reason is Reason.UNAVAILABLE


async def test_a_closed_port_passes(session: ClientSession) -> None:
    async with Receiver() as gone:
        url = gone.url
    assert (await refused(session, url)).reason is Reason.UNAVAILABLE


async def test_an_unknown_host_passes(session: ClientSession) -> None:
    assert (await refused(session, "http://no-such-host.invalid/")).reason is Reason.UNAVAILABLE


async def test_a_private_address_is_refused_for_good(receiver: Receiver) -> None:
    async with guarded_session(Allowed) as session:
        error = await refused(session, receiver.url)
    assert (error.reason, receiver.calls) == (Reason.REFUSED, [])


@pytest.mark.parametrize("status", [0, 302, 400, 500])
async def test_the_address_is_never_in_the_words(receiver: Receiver, session: ClientSession, status: int) -> None:
    receiver.status = status
    error = await refused(session, f"{receiver.url}?key=hush")
    assert "hush" not in str(error)
    assert "127.0.0.1" not in str(error)


@pytest.mark.parametrize("given", [SECRET, SECRET.removeprefix("whsec_"), f" {SECRET} "])
def test_a_secret_is_stored_in_one_form(given: str) -> None:
    assert signing_secret(given) == SECRET


@pytest.mark.parametrize(
    "given", ["hush", "whsec_", "whsec_c2hvcnQ=", "not base64!", base64.b64encode(b"x" * 65).decode()]
)
def test_a_secret_that_receivers_could_not_use_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="openssl rand"):
        signing_secret(given)


def test_a_secret_of_our_own_is_one_that_receivers_can_use() -> None:
    assert [signing_secret(each) for each in signing_secrets("", KEYS)] == list(signing_secrets("", KEYS))


def test_the_mend_of_a_signing_secret_is_plain_words_with_its_prefix() -> None:
    (mend,) = (field.mend for field in channel_class("webhook").fields if field.name == "WEBHOOK_SECRET")
    assert ("`" in mend, mend.startswith("Make one: whsec_ and the output of openssl")) == (False, True)
