"""Looking at a mail server step by step, so that the first thing that is wrong can be said with its mend."""

import asyncio
from collections.abc import Sequence

from aiosmtplib import SMTP, SMTPException

from bot.channels.contract import CHECK_SECONDS, Check
from bot.channels.email_failure import failure, tls_trouble
from bot.channels.email_relay import Relay, Security


class Examination:
    """One connection, step by step; the first step that fails is the last."""

    def __init__(self, relay: Relay, sender: str) -> None:
        self._relay = relay
        self._server = relay.server
        self._sender = sender
        self._found: list[Check] = []

    async def run(self) -> Sequence[Check]:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._look()
        except TimeoutError as error:
            self._found.append(self._silence(error))
        return self._found

    async def _look(self) -> None:
        try:
            smtp = await self._relay.greet()
        except (SMTPException, OSError) as error:
            self._found.append(Check("Mail server", False, failure(error).detail, self._mend_greeting(error)))
            return
        self._found.append(Check("Mail server", True))
        try:
            await self._go_on(smtp)
        finally:
            smtp.close()

    async def _go_on(self, smtp: SMTP) -> None:
        login = (self._login,) if self._server.username else ()
        for step in (self._encryption, *login, self._accepts_sender):
            self._found.append(await step(smtp))
            if not self._found[-1].ok:
                return

    def _silence(self, error: TimeoutError) -> Check:
        """Of a server that does not say a word, or stopped answering behind the last step that went well."""
        if not self._found:
            cause = f"the mail server did not answer within {CHECK_SECONDS:.0f} seconds"
            return Check("Mail server", False, cause, self._mend_greeting(error))
        cause = f"after “{self._found[-1].name}” the mail server said nothing within {CHECK_SECONDS:.0f} seconds"
        return Check("Mail conversation", False, cause, "Try again; then ask whoever runs the mail server.")

    async def _encryption(self, smtp: SMTP) -> Check:
        name = "Mail encryption"
        if self._server.security is Security.NONE:
            secret = "The password and every mail travel" if self._server.username else "Every mail travels"
            cause = f"{secret} in plain text, as SMTP_SECURITY=none says."
            return Check(
                name, True, cause, "Choose starttls or tls unless you trust the network up to the mail server."
            )
        if self._server.security is Security.STARTTLS and not smtp.supports_extension("starttls"):
            mend = "Set SMTP_SECURITY=tls with the port for it, or none in a network that you trust."
            return Check(name, False, "The mail server does not offer STARTTLS.", mend)
        try:
            await self._relay.secure(smtp)
        except (SMTPException, OSError) as error:
            return Check(name, False, failure(error).detail, self._mend_certificate())
        return Check(name, True)

    async def _login(self, smtp: SMTP) -> Check:
        try:
            await self._relay.login(smtp)
        except (SMTPException, OSError) as error:
            mend = (
                "Check SMTP_USERNAME and SMTP_PASSWORD. Some providers want an app password, or SMTP login switched on."
            )
            return Check("Mail login", False, failure(error).detail, mend)
        return Check("Mail login", True)

    async def _accepts_sender(self, smtp: SMTP) -> Check:
        try:
            await smtp.mail(self._sender)
            await smtp.rset()
        except (SMTPException, OSError) as error:
            mend = (
                "Set SMTP_FROM to an address that this login may send from, or set SMTP_USERNAME if a login is wanted."
            )
            return Check("Mail sender", False, failure(error).detail, mend)
        return Check("Mail sender", True)

    def _mend_greeting(self, error: Exception) -> str:
        security, port = self._server.security, self._server.port
        if security is not Security.TLS and port == 465:
            return "Port 465 speaks TLS from the first byte: set SMTP_SECURITY=tls."
        if security is Security.TLS and tls_trouble(error) and "certificate" in tls_trouble(error):
            return self._mend_certificate()
        if security is Security.TLS and tls_trouble(error):
            return f"Port {port} begins in plain text: set SMTP_SECURITY=starttls, or SMTP_PORT=465."
        mend = "Check SMTP_HOST and SMTP_PORT, and that this machine may connect there: many networks close port 25."
        if security is not Security.TLS and isinstance(error, TimeoutError):
            return f"{mend} If the port speaks TLS from the first byte, set SMTP_SECURITY=tls."
        return mend

    def _mend_certificate(self) -> str:
        return (
            f"SMTP_HOST has to be the name in the certificate, not {self._server.host}, unless that is the name; "
            "for an authority of your own set SSL_CERT_FILE."
        )
