"""A local mail server: plain, STARTTLS or TLS from the start, with or without a login, and every way to refuse."""

import asyncio
import ssl
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from bot.rehearsal.certificates import server_context
from bot.rehearsal.failure import Call, Failure, Rule
from bot.rehearsal.letter import Letter
from bot.rehearsal.mail_session import Conversation, Refusing
from bot.rehearsal.platform import Platform


class Security(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class Mailbox(Platform):
    """Stages, for `fail(…, path=…)`: CONNECT, EHLO, MAIL, RCPT, DATA; a failure without one happens at DATA."""

    name = "mail"

    def __init__(
        self,
        *,
        security: Security | str = Security.NONE,
        username: str = "",
        password: str = "",
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(clock=clock, host=host, port=port)
        self.security = Security(security)
        self.username = username
        self.password = password
        self.letters: list[Letter] = []
        self.connections = 0
        self.open_transports: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._context: ssl.SSLContext | None = None

    @property
    def ca_path(self) -> Path:
        """The authority that a client must trust; only with TLS."""
        if self._folder is None:
            raise LookupError("this mailbox speaks no TLS")
        return Path(self._folder.name) / "ca.pem"

    async def start(self) -> None:
        if self.security is not Security.NONE:
            self._folder = tempfile.TemporaryDirectory(prefix="mailbox-")
            self._context = server_context(Path(self._folder.name))
        wrapped = self._context if self.security is Security.TLS else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self.host, self.port, ssl=wrapped)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await super().stop()
        if self._server is not None:
            self._server.close()
        for _ in range(2):  # whoever was just being let in while it closed is open only now
            for transport in list(self.open_transports):
                _cut(transport)
            await asyncio.sleep(0)
        if self._folder is not None:
            self._folder.cleanup()

    def fail(
        self,
        failure: Failure,
        *,
        method: str | None = None,
        path: str | None = "DATA",
        to: str | None = None,
        part: str | None = None,
        times: int | None = None,
    ) -> Rule:
        return super().fail(failure, method=method, path=path, to=to, part=part, times=times)

    def of(self, address: str) -> list[Letter]:
        """The letters that this person got, oldest first."""
        wanted = address.casefold()
        return [each for each in self.letters if wanted in {name.casefold() for name in each.recipients}]

    async def wait_for(self, count: int = 1, *, to: str | None = None, within: float = 5.0) -> list[Letter]:
        """As soon as there are so many letters, for that person or in all."""

        def enough() -> list[Letter] | None:
            letters = self.of(to) if to else self.letters
            return letters if len(letters) >= count else None

        found = await self.until(enough, within, f"{count} letters")
        return found or []

    def _protocol(self) -> asyncio.Protocol:
        self.connections += 1
        failure = self.failures.take(Call("SMTP", "CONNECT", "mail"))
        if failure is not None:
            return Refusing(self, failure)
        return Conversation(self, self._context if self.security is Security.STARTTLS else None)


def _cut(transport: asyncio.BaseTransport) -> None:
    if not isinstance(transport, asyncio.Transport):
        transport.close()
        return
    with suppress(AttributeError):  # Python 3.11.2 fails over a secured connection that both sides have closed
        transport.abort()
