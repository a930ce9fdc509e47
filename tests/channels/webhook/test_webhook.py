"""The owner's webhook: JSON that automation can act on, signed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Verifier

from bot.channels.contract import DeliveryError, Edge, Post, Reader, ReaderKind, Reason
from bot.channels.http import Allowed, guarded_session
from bot.channels.webhook import Webhook
from bot.version import VERSION
from interactions.card import Card, Outcome, Severity, Status
from tests.channels.http.edges import edge
from tests.channels.http.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROOM = Reader(ReaderKind.ROOM, "webhook")
CARD = Card("Token expired", Severity.HIGH, text="Ask Ana to sign in again", facts=(("Service", "Drive"),))
RECORD = {
    "event_id": "evt_1",
    "alert_id": "alr_1",
    "summary": "Drive: token expired",
    "occurred_at": "2026-11-21T12:00:00Z",
}
POST = Post("evt_1", 0, CARD, record=RECORD)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def guarded() -> AsyncIterator[Edge]:
    async with guarded_session(lambda: Allowed.parse("127.0.0.1")) as session:
        yield edge(session, now=lambda: datetime.now(UTC))


def webhook(url: str, guarded: Edge) -> Webhook:
    return Webhook.make({"WEBHOOK_URL": url, "WEBHOOK_SECRET": SECRET, "ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}, guarded)


async def test_an_alert_says_what_automation_needs(guarded: Edge, receiver: Receiver) -> None:
    await webhook(receiver.url, guarded).send(ROOM, POST)
    told = receiver.last_json
    assert {key: told[key] for key in ("alert_id", "severity", "message", "timestamp")} == {
        "alert_id": "alr_1",
        "severity": "high",
        "message": "Drive: token expired",
        "timestamp": "2026-11-21T12:00:00Z",
    }
    assert told["metadata"]["facts"] == {"Service": "Drive"}


async def test_a_notice_without_a_record_is_told_from_its_card(guarded: Edge, receiver: Receiver) -> None:
    await webhook(receiver.url, guarded).send(ROOM, replace(POST, record={}))
    told = receiver.last_json
    assert (told["alert_id"], told["message"]) == ("evt_1", "Token expired")
    assert datetime.fromisoformat(told["timestamp"]).utcoffset() is not None


async def test_it_is_json_from_a_versioned_gatebell(guarded: Edge, receiver: Receiver) -> None:
    await webhook(receiver.url, guarded).send(ROOM, POST)
    headers = receiver.last_headers
    assert (headers["content-type"], headers["user-agent"]) == ("application/json", f"Gatebell/{VERSION}")


async def test_it_is_signed_with_the_owners_secret(guarded: Edge, receiver: Receiver) -> None:
    await webhook(receiver.url, guarded).send(ROOM, POST)
    headers, body = receiver.calls[0]
    assert Verifier(SECRET).verify(body, headers)


async def test_the_end_is_told_too(guarded: Edge, receiver: Receiver) -> None:
    channel = webhook(receiver.url, guarded)
    receipt = await channel.send(ROOM, POST)
    ended = replace(CARD, outcome=Outcome(Status.DECIDED, "Resolved by Ana"))
    await channel.update(ROOM, receipt, replace(POST, version=1, card=ended))
    assert receiver.last_json["metadata"]["outcome"] == "Resolved by Ana"


async def test_a_rooms_own_address_goes_before_the_configured_one(guarded: Edge, receiver: Receiver) -> None:
    await webhook(receiver.url, guarded).send(replace(ROOM, place=f"{receiver.url}/room"), POST)
    assert receiver.paths == ["/hooks/gatebell/room"]


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/", "https://elsewhere.example/hook", "not an address"])
async def test_a_room_at_another_server_is_told_nothing(guarded: Edge, receiver: Receiver, place: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        await webhook(receiver.url, guarded).send(replace(ROOM, place=place), POST)
    assert (caught.value.reason, receiver.calls) == (Reason.NO_ADDRESS, [])


async def test_an_error_carries_the_status(guarded: Edge, receiver: Receiver) -> None:
    receiver.status = 503
    with pytest.raises(DeliveryError, match="503"):
        await webhook(receiver.url, guarded).send(ROOM, POST)


async def test_refused_credentials_break_the_channel(guarded: Edge, receiver: Receiver) -> None:
    receiver.status = 401
    with pytest.raises(DeliveryError) as caught:
        await webhook(receiver.url, guarded).send(ROOM, POST)
    assert caught.value.reason.breaks_channel


async def test_without_an_address_it_is_not_set_up(guarded: Edge) -> None:
    channel = webhook("", guarded)
    with pytest.raises(DeliveryError) as caught:
        await channel.send(ROOM, POST)
    assert (caught.value.reason, channel.missing()) == (Reason.NOT_SET_UP, ("WEBHOOK_URL",))


@pytest.mark.parametrize(
    "url, ok", [("http://127.0.0.1:9/x", True), ("http://10.0.0.7/x", False), ("not a url", False)]
)
async def test_the_doctor_says_whether_the_address_may_be_called(guarded: Edge, url: str, ok: bool) -> None:
    checks = await webhook(url, guarded).check()
    assert [(each.ok, bool(each.mend)) for each in checks] == [(ok, not ok)]
