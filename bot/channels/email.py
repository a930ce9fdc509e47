"""E-mail through the owner's own relay: one conversation per request, each copy with its reader's own link."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.headerregistry import Address
from typing import ClassVar, Self

from pydantic import JsonValue
from yarl import URL

from bot.channels.contract import Check, DeliveryError, Edge, Field, Post, Rate, Reader, ReaderKind, Reason, Receipt
from bot.channels.email_check import Examination
from bot.channels.email_letter import Heads, compose, parse_address, parse_addresses
from bot.channels.email_relay import Refused, Relay, Security, Server
from renderers.email import Mail, render
from renderers.inert import one_line

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_TIDY_SECONDS = 30
_MOST_HALF_SENT = 1000

# ---- settings --------------------------------------------------------------------------------------------------------


def check_host(value: str) -> str:
    host = value.strip()
    if not _HOST.fullmatch(host):
        raise ValueError(
            "Give the mail server's name alone, such as smtp.example.com; the port has a setting of its own."
        )
    return host


def check_port(value: str) -> str:
    if not value.strip().isdecimal() or not 0 < int(value) < 65536:
        raise ValueError("A port is a number from 1 to 65535; mail servers take mail on 587, 465 or 25.")
    return str(int(value))


def check_security(value: str) -> str:
    try:
        return Security(value.strip().lower()).value
    except ValueError:
        raise ValueError("Choose starttls (port 587), tls (port 465) or none (a network that you trust).") from None


def check_sender(value: str) -> str:
    parse_address(value)
    return value.strip()


def check_room(value: str) -> str:
    return ", ".join(str(each) for each in parse_addresses(value))


# ---- the channel -----------------------------------------------------------------------------------------------------


class Email:
    name: ClassVar[str] = "email"
    title: ClassVar[str] = "E-mail"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "SMTP_HOST",
            "Your mail server for outgoing mail",
            required=True,
            aliases=("MCP_ALERT_EMAIL_SMTP_HOST",),
            check=check_host,
            mend="smtp.office365.com, smtp.gmail.com, email-smtp.REGION.amazonaws.com or your own relay.",
            channel="email",
        ),
        Field(
            "SMTP_PORT",
            "Its port",
            default="587",
            check=check_port,
            mend="587 for starttls, 465 for tls.",
            channel="email",
        ),
        Field(
            "SMTP_SECURITY",
            "How the connection is secured: starttls, tls or none",
            default="starttls",
            check=check_security,
            mend="starttls on port 587, tls on port 465. A private authority is trusted through SSL_CERT_FILE.",
            channel="email",
            choices=(("starttls", "STARTTLS (port 587)"), ("tls", "TLS (port 465)"), ("none", "none")),
        ),
        Field("SMTP_USERNAME", "Who logs in; empty for a relay without login", channel="email"),
        Field(
            "SMTP_PASSWORD",
            "The password, or an app password where the provider asks for one",
            secret=True,
            channel="email",
        ),
        Field(
            "SMTP_FROM",
            "The sender, an address that the mail server accepts",
            required=True,
            aliases=("MCP_ALERT_EMAIL_FROM",),
            check=check_sender,
            mend="Gatebell <gatebell@example.com>, in a domain whose SPF record names the mail server.",
            channel="email",
        ),
        Field(
            "SMTP_TO",
            "Who gets what is meant for a room, a comma list",
            aliases=("MCP_ALERT_EMAIL_TO",),
            check=check_room,
            mend="ops@example.com, ana@example.com",
            channel="email",
            room=True,
        ),
    )
    rates: ClassVar[tuple[Rate, ...]] = ()

    def __init__(self, sender: str, room: str, relay: Relay, edge: Edge) -> None:
        self._sender = sender
        self._room = room
        self._relay = relay
        self._edge = edge
        self._taken: dict[str, frozenset[str]] = {}  # of a mail that some have still to take: who has it

    @classmethod
    def make(cls, settings: Mapping[str, str], edge: Edge) -> Self:
        server = Server(
            host=settings.get("SMTP_HOST", ""),
            port=int(settings.get("SMTP_PORT") or 587),
            security=Security(settings.get("SMTP_SECURITY") or "starttls"),
            username=settings.get("SMTP_USERNAME", ""),
            password=settings.get("SMTP_PASSWORD", ""),
            helo=_helo(edge.base_url),
        )
        return cls(settings.get("SMTP_FROM", ""), settings.get("SMTP_TO", ""), Relay(server), edge)

    def missing(self) -> tuple[str, ...]:
        needed = {"SMTP_HOST": self._relay.server.host, "SMTP_FROM": self._sender}
        return tuple(name for name, value in needed.items() if not value)

    async def send(self, reader: Reader, post: Post) -> Receipt:
        recipients, post = self._recipients(reader), _placed(reader, post)
        mail = render(post.card, post.page)
        anchor = [self._message_id("thread", post.thread, reader.id)] if post.thread else []
        heads = Heads(self._message_id(post.ref, reader.id, str(post.version)), references=anchor)
        refused = await self._send(recipients, mail, heads)
        extra: dict[str, JsonValue] = {
            "subject": one_line(mail.subject),
            "references": [*anchor, heads.message_id],
            "told": _told(post),
            "refused": list(refused),
        }
        return Receipt(self.name, ", ".join(each.addr_spec for each in recipients), heads.message_id, extra)

    async def update(self, reader: Reader, receipt: Receipt, post: Post) -> Receipt:
        """A mail cannot be changed: how it ended is told by a reply in the same conversation, and nothing else is."""
        told, post = _told(post), _placed(reader, post)
        if told in ("", receipt.extra.get("told")):
            return replace(receipt, extra={**receipt.extra, "told": told})
        earlier = receipt.extra.get("references")
        references = [str(each) for each in earlier] if isinstance(earlier, list) else [receipt.message]
        mail = render(post.card, post.page)
        mail = replace(mail, subject=f"Re: {receipt.extra.get('subject') or mail.subject}")
        reply = self._message_id(post.ref, reader.id, str(post.version))
        await self._send(self._recipients(reader), mail, Heads(reply, references, in_reply_to=receipt.message))
        return replace(receipt, extra={**receipt.extra, "told": told})

    async def run(self) -> None:
        """Ends connections that are not needed, and all of them at the end."""
        try:
            while True:
                await asyncio.sleep(_TIDY_SECONDS)
                self._relay.tidy()
        finally:
            self._relay.close()

    async def check(self) -> Sequence[Check]:
        if missing := self.missing():
            return (Check("E-mail settings", False, f"{' and '.join(missing)} missing", "Fill them in."),)
        return await Examination(self._relay, parse_address(self._sender).addr_spec).run()

    # ---- inside ----

    def _recipients(self, reader: Reader) -> tuple[Address, ...]:
        match reader.kind:
            case ReaderKind.OPERATOR:
                return (_known(reader.email or reader.identities.get(self.name, ""), reader.name),)
            case ReaderKind.ROOM:
                return self._of_ours(_all_known(reader.place)) if reader.place else _all_known(self._room)
            case ReaderKind.CALLER:
                raise DeliveryError(Reason.NO_ADDRESS, "who asked is not told by e-mail")

    def _of_ours(self, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        """What a producer calls a room has to lie in a domain of the owner's: nobody mails strangers through here."""
        ours = {parse_address(self._sender).domain.lower()} if self._sender else set()
        ours |= {each.domain.lower() for each in parse_addresses(self._room)}
        for each in addresses:
            if each.domain.lower() not in ours:
                words = f"{each.addr_spec} is in no domain of SMTP_FROM or SMTP_TO; add it to SMTP_TO if it may be told"
                raise DeliveryError(Reason.NO_ADDRESS, words)
        return addresses

    async def _send(self, recipients: Sequence[Address], mail: Mail, heads: Heads) -> tuple[str, ...]:
        """Who did not take it, where somebody did. Whoever may take it later is asked again, and nobody else."""
        if missing := self.missing():
            raise DeliveryError(Reason.NOT_SET_UP, f"{' and '.join(missing)} missing")
        sender = parse_address(self._sender)
        content = compose(sender, recipients, mail, heads, self._edge.now())
        taken = self._taken.get(heads.message_id, frozenset())
        asked = [each.addr_spec for each in recipients if each.addr_spec not in taken]
        try:
            refused = await self._relay.deliver(sender.addr_spec, asked, content)
        except DeliveryError as error:
            if not taken or error.reason.breaks_channel:
                raise
            refused = tuple(Refused(each, error) for each in asked)
        if later := [each for each in refused if each.why.reason.passes]:
            self._remember(heads.message_id, taken.union(asked).difference(each.address for each in refused))
            names = ", ".join(each.address for each in later)
            raise DeliveryError(Reason.RATE_LIMITED, f"the others have it, but not {names}: {later[0].why.detail}")
        self._taken.pop(heads.message_id, None)
        return tuple(each.address for each in refused)

    def _remember(self, message_id: str, taken: frozenset[str]) -> None:
        self._taken[message_id] = taken
        while len(self._taken) > _MOST_HALF_SENT:
            del self._taken[next(iter(self._taken))]

    def _message_id(self, *parts: str) -> str:
        """The same for the same copy, so that a mail that was sent twice is shown once."""
        digest = hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]
        return f"<{digest}@{parse_address(self._sender).domain if self._sender else 'localhost'}>"


def _placed(reader: Reader, post: Post) -> Post:
    """A person's mailbox is their own; behind a room's addresses is anybody."""
    return post.placed(own=reader.kind is ReaderKind.OPERATOR)


def _told(post: Post) -> str:
    return post.card.outcome.text if post.card.outcome else ""


def _known(text: str, name: str = "") -> Address:
    if not text:
        raise DeliveryError(Reason.NO_ADDRESS, "no e-mail address is known")
    try:
        return parse_address(text, name)
    except ValueError as error:
        raise DeliveryError(Reason.NO_ADDRESS, str(error)) from None


def _all_known(text: str) -> tuple[Address, ...]:
    try:
        found = parse_addresses(text)
    except ValueError as error:
        raise DeliveryError(Reason.NO_ADDRESS, str(error)) from None
    if not found:
        raise DeliveryError(Reason.NO_ADDRESS, "SMTP_TO is empty, so this room has no address")
    return found


def _helo(base_url: str) -> str:
    host = URL(base_url).raw_host or "localhost"
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdecimal() else host
