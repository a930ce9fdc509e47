"""The caller is told once per version, and can tell a repetition and a forgery."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bot.channels.callback import AT_ONCE, Callback
from bot.channels.contract import CanUpdate, Channel, DeliveryError, Post, Reader, ReaderKind, Reason, Receipt
from bot.channels.http import Allowed, guarded_session, signing_secrets
from interactions.card import Card
from tests.channels.http.edges import KEYS, edge
from tests.channels.http.receiver import Receiver
from tests.patience import until

POST = Post("int_1", 1, Card("Delete?"), record={"id": "int_1", "status": "decided"})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def callback() -> AsyncIterator[Callback]:
    async with guarded_session(lambda: Allowed.parse("127.0.0.1")) as session:
        yield Callback.make({}, edge(session, now=lambda: datetime.now(UTC)))


def caller(url: str) -> Reader:
    return Reader(ReaderKind.CALLER, "caller:int_1", place=url)


async def test_the_caller_gets_the_record(callback: Callback, receiver: Receiver) -> None:
    await callback.send(caller(receiver.url), POST)
    assert receiver.last_json == {"id": "int_1", "status": "decided"}


async def test_an_update_goes_to_the_same_address(callback: Callback, receiver: Receiver) -> None:
    await callback.update(caller(""), Receipt("callback", receiver.url, "msg_0"), POST)
    assert len(receiver.calls) == 1


async def test_a_repetition_has_the_same_id_and_the_next_version_another(
    callback: Callback, receiver: Receiver
) -> None:
    for post in (POST, POST, replace(POST, version=2)):
        await callback.send(caller(receiver.url), post)
    first, again, later = (headers["webhook-id"] for headers, _ in receiver.calls)
    assert (first == again, first == later) == (True, False)


async def test_without_the_owners_secret_calls_are_signed_with_a_made_one(
    callback: Callback, receiver: Receiver
) -> None:
    await callback.send(caller(receiver.url), POST)
    headers, body = receiver.calls[0]
    assert Webhook(signing_secrets("", KEYS)[0]).verify(body, headers)


async def test_another_secret_does_not_verify(callback: Callback, receiver: Receiver) -> None:
    await callback.send(caller(receiver.url), POST)
    headers, body = receiver.calls[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(signing_secrets("", (b"other" * 8,))[0]).verify(body, headers)


async def test_the_owners_secret_goes_before_the_made_one(receiver: Receiver) -> None:
    chosen = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    async with guarded_session(lambda: Allowed.parse("127.0.0.1")) as session:
        made = Callback.make({"WEBHOOK_SECRET": chosen}, edge(session, now=lambda: datetime.now(UTC)))
        await made.send(caller(receiver.url), POST)
    headers, body = receiver.calls[0]
    assert Webhook(chosen).verify(body, headers)


@pytest.mark.parametrize("reader", [caller(""), Reader(ReaderKind.OPERATOR, "ana", place="http://127.0.0.1/")])
async def test_nobody_but_a_caller_with_an_address_is_called(callback: Callback, reader: Reader) -> None:
    with pytest.raises(DeliveryError) as caught:
        await callback.send(reader, POST)
    assert caught.value.reason is Reason.NO_ADDRESS


async def test_a_callers_refused_credentials_do_not_break_the_channel(callback: Callback, receiver: Receiver) -> None:
    receiver.status = 401
    with pytest.raises(DeliveryError) as caught:
        await callback.send(caller(receiver.url), POST)
    assert not caught.value.reason.breaks_channel


async def test_a_server_that_hangs_leaves_room_for_the_others(callback: Callback, receiver: Receiver) -> None:
    receiver.hangs = True
    hanging = [asyncio.create_task(callback.send(caller(receiver.url), POST)) for _ in range(AT_ONCE)]
    await until(lambda: len(receiver.calls) == AT_ONCE, "all of them to hang")
    with pytest.raises(DeliveryError) as caught:
        await callback.send(caller(f"{receiver.url}/too"), POST)
    assert (caught.value.reason, len(receiver.calls)) == (Reason.RATE_LIMITED, AT_ONCE)
    async with Receiver() as other:
        await callback.send(caller(other.url), POST)
    for each in hanging:
        each.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    receiver.hangs = False
    await callback.send(caller(receiver.url), POST)


def test_it_is_a_channel_that_updates_and_needs_no_setting(callback: Callback) -> None:
    assert (isinstance(callback, Channel), isinstance(callback, CanUpdate), callback.missing()) == (True, True, ())
