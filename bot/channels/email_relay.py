"""Handing mails to the owner's relay over a few kept connections; every refusal becomes a reason here."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from bot.channels.contract import DeliveryError, Reason
from bot.channels.email_failure import failure

CONNECTIONS = 4
MAILS_PER_CONNECTION = 100
FRESH_SECONDS = 10.0
IDLE_SECONDS = 60.0


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    """The relay. `helo` is the name that we greet it with."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"


@dataclass(frozen=True, slots=True)
class Refused:
    """One address that did not take a mail which another one took, and why."""

    address: str
    why: DeliveryError


@dataclass(slots=True)
class _Kept:
    smtp: SMTP
    used_at: float
    mails: int = 0


class Relay:
    """A few connections at a time, each used for many mails. `patience` is the time for one answer, in seconds."""

    def __init__(self, server: Server, tls: ssl.SSLContext | None = None, *, patience: float = 15.0) -> None:
        self.server = server
        self._tls = tls
        self._patience = patience
        self._gate = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[_Kept] = []

    async def deliver(self, sender: str, recipients: Sequence[str], content: bytes) -> tuple[Refused, ...]:
        """The recipients that were refused while another was taken. Raises DeliveryError where nobody was.

        What surely was not accepted is tried once more on a new connection. What may have been accepted is UNCLEAR.
        """
        async with self._gate:
            kept = await self._take()
            try:
                return await self._hand_over(kept, sender, recipients, content)
            except _Lost:
                kept = await self._connect()
            try:
                return await self._hand_over(kept, sender, recipients, content)
            except _Lost:
                raise DeliveryError(Reason.UNAVAILABLE, "the mail server closes every connection") from None

    def tidy(self) -> None:
        """Ends connections that nobody needed lately; the server would do so less politely."""
        now = asyncio.get_running_loop().time()
        stale = [kept for kept in self._idle if now - kept.used_at > IDLE_SECONDS]
        self._idle = [kept for kept in self._idle if kept not in stale]
        for kept in stale:
            kept.smtp.close()

    def close(self) -> None:
        for kept in self._idle:
            kept.smtp.close()
        self._idle = []

    # ---- connections ----

    async def greet(self) -> SMTP:
        """Connected and greeted, not yet secured unless TLS is there from the first byte."""
        smtp = SMTP(
            hostname=self.server.host,
            port=self.server.port,
            use_tls=self.server.security is Security.TLS,
            start_tls=False,
            tls_context=await self._context(),
            local_hostname=self.server.helo,
            timeout=self._patience,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        return smtp

    async def secure(self, smtp: SMTP) -> None:
        if self.server.security is Security.STARTTLS:
            await smtp.starttls()
            await smtp.ehlo()

    async def login(self, smtp: SMTP) -> None:
        if self.server.username:
            await smtp.login(self.server.username, self.server.password)

    async def _take(self) -> _Kept:
        now = asyncio.get_running_loop().time()
        while self._idle:
            kept = self._idle.pop()
            if kept.smtp.is_connected and (now - kept.used_at < FRESH_SECONDS or await _answers(kept.smtp)):
                return kept
            kept.smtp.close()
        return await self._connect()

    async def _connect(self) -> _Kept:
        try:
            smtp = await self.greet()
        except (SMTPException, OSError) as error:
            raise failure(error) from None
        try:
            await self.secure(smtp)
            await self.login(smtp)
        except (SMTPException, OSError) as error:
            smtp.close()
            raise failure(error) from None
        except BaseException:
            smtp.close()
            raise
        return _Kept(smtp, asyncio.get_running_loop().time())

    async def _context(self) -> ssl.SSLContext | None:
        if self._tls is None and self.server.security is not Security.NONE:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls

    # ---- one mail ----

    async def _hand_over(
        self, kept: _Kept, sender: str, recipients: Sequence[str], content: bytes
    ) -> tuple[Refused, ...]:
        """A connection on which anything else than a reply came is not used again."""
        try:
            refused = await _transact(kept.smtp, sender, recipients, content)
        except DeliveryError:
            await self._keep_after_refusal(kept)
            raise
        except BaseException:
            kept.smtp.close()
            raise
        self._keep(kept)
        return refused

    async def _keep_after_refusal(self, kept: _Kept) -> None:
        try:
            await kept.smtp.rset(timeout=self._patience)
        except (SMTPException, OSError):
            kept.smtp.close()
        except BaseException:
            kept.smtp.close()
            raise
        else:
            self._keep(kept)

    def _keep(self, kept: _Kept) -> None:
        kept.mails += 1
        kept.used_at = asyncio.get_running_loop().time()
        if kept.smtp.is_connected and kept.mails < MAILS_PER_CONNECTION:
            self._idle.append(kept)
        else:
            kept.smtp.close()


class _Lost(Exception):
    """The connection went before the mail was offered."""


async def _transact(smtp: SMTP, sender: str, recipients: Sequence[str], content: bytes) -> tuple[Refused, ...]:
    refused = await _envelope(smtp, sender, recipients, content)
    try:
        await smtp.data(content)
    except (SMTPServerDisconnected, SMTPTimeoutError, OSError):
        raise DeliveryError(
            Reason.UNCLEAR, "the mail server went away before it said whether it took the mail"
        ) from None
    except SMTPResponseException as error:
        if error.code < 400:
            raise DeliveryError(Reason.UNCLEAR, "the mail server answered with nonsense after the mail") from None
        raise failure(error) from None
    return refused


async def _envelope(smtp: SMTP, sender: str, recipients: Sequence[str], content: bytes) -> tuple[Refused, ...]:
    size = [f"SIZE={len(content)}"] if smtp.supports_extension("size") else []
    refused: list[SMTPRecipientRefused] = []
    try:
        await smtp.mail(sender, options=size)
        for recipient in recipients:
            try:
                await smtp.rcpt(recipient)
            except SMTPRecipientRefused as error:
                refused.append(error)
    except SMTPTimeoutError as error:
        raise failure(error) from None
    except (SMTPServerDisconnected, OSError):
        raise _Lost from None
    except SMTPResponseException as error:
        if error.code == 421:
            raise _Lost from None
        raise failure(error) from None
    if len(refused) == len(recipients):
        raise failure(next((each for each in refused if each.code < 500), refused[0]))
    return tuple(Refused(each.recipient, failure(each)) for each in refused)


async def _answers(smtp: SMTP) -> bool:
    try:
        await smtp.noop(timeout=3)
    except (SMTPException, OSError):
        return False
    return True
