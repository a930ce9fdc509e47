"""One SMTP conversation of the mailbox: what it answers at each stage."""

import asyncio
import hmac
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.rehearsal.failure import Call, Failure, Kind
from bot.rehearsal.letter import letter
from bot.rehearsal.platform import Entry

if TYPE_CHECKING:
    from bot.rehearsal.mail import Mailbox

WORDS = {
    421: "4.3.2 Service not available, closing transmission channel",
    450: "4.2.1 Mailbox busy, try again later",
    451: "4.3.0 Local error in processing",
    452: "4.3.1 Insufficient system storage",
    454: "4.7.0 Temporary authentication failure",
    535: "5.7.8 Authentication credentials invalid",
    550: "5.1.1 No such user here",
    552: "5.2.2 Mailbox full",
    554: "5.7.1 Message refused",
}


class PostOffice:
    """The hooks that aiosmtpd calls. It looks into every attribute of this object, so the mailbox itself is another."""

    def __init__(self, mailbox: "Mailbox") -> None:
        self._mailbox = mailbox

    def check_login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        right = isinstance(login, LoginPassword) and _same(login.login, self._mailbox.username)
        right = right and _same(login.password, self._mailbox.password)
        self._remember("AUTH", 235 if right else 535, mechanism)
        return AuthResult(success=right, handled=False)

    async def handle_EHLO(  # noqa: N802 (the library looks for this name)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        refused = await self._stage(server, "EHLO", ())
        return [refused] if refused else responses

    async def handle_MAIL(  # noqa: N802 (the library looks for this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._mailbox.username and not session.authenticated:
            return self._remember("MAIL", 530, address, "5.7.0 Authentication required")
        refused = await self._stage(server, "MAIL", (address,))
        envelope.mail_from = address
        return refused or "250 OK"

    async def handle_RCPT(  # noqa: N802 (the library looks for this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = await self._stage(server, "RCPT", (address,))
        if refused:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the library looks for this name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        recipients = tuple(envelope.rcpt_tos)
        failure = self._mailbox.failures.take(self._call("DATA", recipients))
        if failure is None or failure.late or failure.kind is Kind.SLOW:
            content = envelope.original_content or b""
            self._mailbox.letters.append(letter(content, envelope.mail_from or "", recipients))
        if failure is not None and (refused := await self._play(server, "DATA", recipients, failure)):
            return refused
        return self._remember("DATA", 250, recipients, f"OK: queued as {len(self._mailbox.letters)}")

    def _call(self, stage: str, addresses: Iterable[str]) -> Call:
        return Call("SMTP", stage, "mail", frozenset(addresses))

    async def _stage(self, server: SMTP, stage: str, addresses: tuple[str, ...]) -> str | None:
        failure = self._mailbox.failures.take(self._call(stage, addresses))
        return None if failure is None else await self._play(server, stage, addresses, failure)

    async def _play(self, server: SMTP, stage: str, about: object, failure: Failure) -> str | None:
        """The refusing reply, or nothing when the stage goes on."""
        match failure.kind:
            case Kind.SLOW:
                await asyncio.sleep(failure.seconds)
                return None
            case Kind.HANG:
                await self._mailbox.held()
                return await self._drop(server, stage, about)
            case Kind.RESET:
                return await self._drop(server, stage, about)
            case Kind.GARBAGE:
                return self._remember(stage, 0, about, failure.body)
        if failure.status == 421:
            asyncio.get_running_loop().call_later(0.01, _close, server.transport)
        return self._remember(stage, failure.status, about, failure.body)

    async def _drop(self, server: SMTP, stage: str, about: object) -> str:
        self._remember(stage, 0, about)
        if isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        # Losing the connection cancels this conversation here, so that nothing is said any more.
        await asyncio.sleep(1)
        return "421 4.4.2 Connection lost"

    def _remember(self, stage: str, status: int, about: object, words: str = "") -> str:
        reply = f"{status} {words or WORDS.get(status, 'OK')}" if status else words
        self._mailbox.record(Entry(self._mailbox.clock(), "SMTP", stage, {}, about, status, reply))
        return reply


class Conversation(SMTP):
    """One connection of a client; its start and end are counted."""

    def __init__(self, mailbox: "Mailbox", tls: ssl.SSLContext | None) -> None:
        post_office = PostOffice(mailbox)
        super().__init__(
            post_office,
            hostname="mail.rehearsal.test",
            ident="rehearsal",
            tls_context=tls,
            require_starttls=tls is not None,
            auth_require_tls=tls is not None,
            auth_exclude_mechanism=() if mailbox.username else ("PLAIN", "LOGIN"),
            authenticator=post_office.check_login,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        self._mailbox = mailbox

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._mailbox.open_transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._mailbox.open_transports.discard(self.transport)
        super().connection_lost(error)


class Refusing(asyncio.Protocol):
    """A server that turns its clients away at the door."""

    def __init__(self, mailbox: "Mailbox", failure: Failure) -> None:
        self._mailbox = mailbox
        self._failure = failure

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a stream server makes stream transports"
        self._mailbox.open_transports.add(transport)
        match self._failure.kind:
            case Kind.HANG:
                return
            case Kind.RESET:
                transport.abort()
                return
        reply = f"{self._failure.status} {WORDS.get(self._failure.status, 'Go away')}\r\n"
        transport.write(reply.encode())
        transport.close()


def _same(given: bytes, wanted: str) -> bool:
    return hmac.compare_digest(given, wanted.encode())


def _close(transport: asyncio.BaseTransport | None) -> None:
    if transport is not None:
        transport.close()
