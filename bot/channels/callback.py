"""Tells the caller how its request ended: one signed call per version to the address that came with the request."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from bot.channels.contract import DeliveryError, Edge, Field, Post, Rate, Reader, ReaderKind, Reason, Receipt
from bot.channels.http import message_id, post_signed, server_of, signing_secrets

AT_ONCE = 40  # calls under way to one server, so that one which hangs leaves room for the others
_PAUSE = 1.0


class Callback:
    """Never part of a chain: only who asked is a reader here."""

    name: ClassVar[str] = "callback"
    title: ClassVar[str] = "Callback"
    fields: ClassVar[tuple[Field, ...]] = ()
    rates: ClassVar[tuple[Rate, ...]] = ()

    def __init__(self, secrets: Sequence[str], edge: Edge) -> None:
        self._secrets = secrets
        self._edge = edge
        self._under_way: Counter[str] = Counter()

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: Edge) -> Self:
        return cls(signing_secrets(settings.get("WEBHOOK_SECRET", ""), edge.secrets), edge)

    def missing(self) -> tuple[str, ...]:
        return ()

    async def send(self, reader: Reader, post: Post) -> Receipt:
        if reader.kind is not ReaderKind.CALLER or not reader.place:
            raise DeliveryError(Reason.NO_ADDRESS, "the request came without a callback address")
        return await self._call(reader.place, reader, post)

    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        return await self._call(reader.place or receipt.place, reader, post)

    async def _call(self, url: str, reader: Reader, post: Post) -> Receipt:
        message, server = message_id(self.name, reader.id, post.ref, str(post.version)), server_of(url)
        if self._under_way[server] >= AT_ONCE:
            raise DeliveryError(Reason.RATE_LIMITED, f"{AT_ONCE} calls to this server are under way", _PAUSE)
        self._under_way[server] += 1
        try:
            await post_signed(
                self._edge.guarded(), url, post.record, message=message, secrets=self._secrets, at=self._edge.now()
            )
        finally:
            self._under_way[server] -= 1
            self._under_way += Counter()  # forgets servers to which nothing is under way
        return Receipt(self.name, place=url, message=message)
