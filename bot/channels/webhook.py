"""Posts JSON to an address of the owner's, for automation: https://www.standardwebhooks.com signatures included."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from pydantic import JsonValue

from bot.channels.contract import Check, DeliveryError, Edge, Field, Post, Rate, Reader, ReaderKind, Reason, Receipt
from bot.channels.http import (
    Allowed,
    check_form,
    check_resolved,
    message_id,
    post_signed,
    server_of,
    signing_secret,
    signing_secrets,
)

_ID_KEYS = ("alert_id", "event_id", "id")
_TIME_KEYS = ("triggered_at", "occurred_at", "created_at", "timestamp")
_MESSAGE_KEYS = ("message", "summary")


class Webhook:
    name: ClassVar[str] = "webhook"
    title: ClassVar[str] = "Webhook"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "WEBHOOK_URL",
            "Where notices are posted as JSON",
            secret=True,
            required=True,
            aliases=("MCP_ALERT_WEBHOOK_URL", "MCPGATEWAY_ALERT_WEBHOOK_URL"),
            check=check_form,
            mend="Copy the whole address from the receiver, such as https://automation.example/hooks/gatebell.",
            channel="webhook",
            guarded=True,
            room=True,
        ),
        Field(
            "WEBHOOK_SECRET",
            "Signs webhooks and callbacks; while it is empty, receivers cannot check who calls them",
            secret=True,
            check=signing_secret,
            mend="Make one: whsec_ and the output of openssl rand -base64 32. Give it to the receiver too.",
            channel="webhook",
            shared=True,
        ),
    )
    rates: ClassVar[tuple[Rate, ...]] = ()

    def __init__(self, url: str, secrets: Sequence[str], allowed: Allowed, edge: Edge) -> None:
        self._url = url
        self._secrets = secrets
        self._allowed = allowed
        self._edge = edge

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: Edge) -> Self:
        secrets = signing_secrets(settings.get("WEBHOOK_SECRET", ""), edge.secrets)
        allowed = Allowed.parse(settings.get("ALLOWED_PRIVATE_HOSTS", ""))
        return cls(settings.get("WEBHOOK_URL", ""), secrets, allowed, edge)

    def missing(self) -> tuple[str, ...]:
        return () if self._url else ("WEBHOOK_URL",)

    async def send(self, reader: Reader, post: Post) -> Receipt:
        """To a room's own address where it has one, else to the configured one. Nothing leaves for another server."""
        if not self._url:
            raise DeliveryError(Reason.NOT_SET_UP, "WEBHOOK_URL is empty")
        url = reader.place if reader.kind is ReaderKind.ROOM and reader.place else self._url
        if server_of(url) != server_of(self._url):
            raise DeliveryError(Reason.NO_ADDRESS, "the room is no address of the server of WEBHOOK_URL")
        post = post.placed(own=False)
        message = message_id(self.name, reader.id, post.ref, str(post.version))
        await post_signed(
            self._edge.guarded(),
            url,
            self._body(post),
            message=message,
            secrets=self._secrets,
            at=self._edge.now(),
            unauthorized=Reason.UNAUTHORIZED,
        )
        return Receipt(self.name, place=reader.id, message=message)

    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        return await self.send(reader, post)

    async def check(self) -> Sequence[Check]:
        """Looks at the address without calling it: a receiver may act on whatever it is sent."""
        try:
            await check_resolved(self._url, self._allowed)
        except ValueError as error:
            return (Check("Webhook address", False, str(error), "Correct WEBHOOK_URL or ALLOWED_PRIVATE_HOSTS."),)
        return (Check("Webhook address", True),)

    def _body(self, post: Post) -> Mapping[str, JsonValue]:
        card = post.card
        metadata: dict[str, JsonValue] = {
            "title": card.title,
            "text": card.text,
            "facts": dict(card.facts),
            "status": card.status.value,
            "outcome": card.outcome.text if card.outcome else None,
            "link": card.link,
            "version": post.version,
        }
        return {
            "alert_id": _first(post.record, _ID_KEYS) or post.ref,
            "severity": card.severity.value,
            "message": _first(post.record, _MESSAGE_KEYS) or card.title,
            "timestamp": _first(post.record, _TIME_KEYS) or self._edge.now().isoformat(),
            "metadata": metadata,
            "record": dict(post.record),
        }


def _first(record: Mapping[str, JsonValue], keys: Sequence[str]) -> str:
    """The first of the keys that holds text: the record is an event, an alert or an interaction."""
    return next((value for key in keys if isinstance(value := record.get(key), str) and value), "")
