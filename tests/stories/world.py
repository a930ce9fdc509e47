"""A whole installation: the product on real ports, beside platforms that behave like the real ones, and verbs to play.

Ana is in Slack, Ben in Teams, Mia reads mail; Cleo is in the Slack workspace and in Teams, but is nobody's operator.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.abc import AbstractResolver

from bot import app as product
from bot import settings as settings_files
from bot.audit.ledger import Ledger
from bot.channels.registry import fields
from bot.clock import MovableClock
from bot.keys import Keys, Scope
from bot.logs import Mask
from bot.operators import Operators
from bot.rehearsal.caller import Caller
from bot.rehearsal.http_platform import put_away
from bot.rehearsal.mail import Mailbox
from bot.rehearsal.slack import SlackWorkspace
from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_screen import Pressed
from bot.thresholds import Thresholds
from interactions.model import Role
from interactions.registry import Registry
from tests.patience import PATIENCE, a_moment, until
from tests.stories.page import Page
from tests.stories.platforms import ANA, BEN, CLEO, MIA, Platforms, free_port
from tests.stories.producer import Answered, Json, Producer

__all__ = (
    "ANA",
    "BEN",
    "CLEO",
    "MIA",
    "Answered",
    "Json",
    "Platforms",
    "World",
    "a_moment",
    "free_port",
    "installed",
    "put_in_place",
)


@dataclass(kw_only=True)
class World(Producer):
    """One running installation. Everything goes through its HTTP addresses, except what only its owner could do."""

    platforms: Platforms
    product: product.Product
    loops: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def slack(self) -> SlackWorkspace:
        return self.platforms.slack

    @property
    def teams(self) -> TeamsTenant:
        return self.platforms.teams

    @property
    def mail(self) -> Mailbox:
        return self.platforms.mail

    @property
    def caller(self) -> Caller:
        return self.platforms.caller

    async def tell(self, type_: str, summary: str = "Something happened", **fields: Any) -> Answered:
        return await self.call("POST", "/api/v1/events", {"type": type_, "summary": summary, **fields})

    # ---- what an owner does -----------------------------------------------------------------------------------------

    @property
    def operators(self) -> Operators:
        made = self.product
        return Operators(made.store, Ledger(made.store, made.ledger_keys), made.clock.now)

    @property
    def clock(self) -> MovableClock:
        if not isinstance(self.product.clock, MovableClock):
            raise TypeError("this world's clock cannot be moved")
        return self.product.clock

    @property
    def keys(self) -> Keys:
        made = self.product
        return Keys(made.store, Ledger(made.store, made.ledger_keys), made.clock.now)

    @property
    def thresholds(self) -> Thresholds:
        made = self.product
        return Thresholds(made.store, Ledger(made.store, made.ledger_keys), made.clock.now)

    async def key_for(self, *scopes: Scope, of: str = "") -> str:
        """A key with these scopes; `of` names the operator to whom it belongs."""
        owner = await self.operator_id(of) if of else None
        return (await self.keys.create("story", scopes, by="cli", operator_id=owner)).key

    async def operator_id(self, email: str) -> str:
        found = await self.operators.by_email(email)
        assert found, f"{email} is nobody's operator"
        return found.id

    async def forward(self, **units: float) -> None:
        """Move time: seconds, minutes, hours."""
        await self.kept()  # a jump ends every lease
        self.clock.forward(timedelta(**units).total_seconds())
        self.product.dispatcher.wake()

    async def kept(self) -> None:
        """Return once it is written down what was just shown: no person is as quick."""
        await until(self._nothing_held, "what is being shown to be written down")

    async def _nothing_held(self) -> bool:
        return await self.product.store.read(lambda tx: tx.row("SELECT id FROM delivery WHERE lease <> ''")) is None

    async def until(self, question: Callable[[], object], what: str = "a change") -> None:
        """Return when the question is answered with something true."""
        await until(question, what)

    async def forward_until(self, question: Callable[[], object]) -> None:
        """Move time minute by minute until it is so: for what is tried again later."""
        async with asyncio.timeout(PATIENCE):
            while not question():
                await self.forward(minutes=1)
                await a_moment()

    async def settled(self) -> None:
        """Returns when nothing goes on any more that a request has left behind."""
        await self.call("GET", "/healthz")  # whatever was acknowledged before has begun by then
        await until(lambda: not self.product.spawned.tasks, "what requests have left behind")

    async def audit(self) -> list[tuple[str, str]]:
        """(action, actor) of everything that was written down, oldest first."""
        rows = await self.product.store.read(lambda tx: tx.rows("SELECT action, actor FROM audit ORDER BY seq"))
        return [(row["action"], row["actor"]) for row in rows]

    async def until_written(self, action: str) -> None:
        """Return when the audit log knows of it."""

        async def written() -> bool:
            return action in [each for each, _ in await self.audit()]

        await until(written, f"{action} in the audit log")

    async def attempts(self) -> list[tuple[str, str, str]]:
        """(channel, verb, reason) of every attempt, oldest first."""
        sql = "SELECT channel, verb, reason FROM attempt ORDER BY at, id"
        rows = await self.product.store.read(lambda tx: tx.rows(sql))
        return [(row["channel"], row["verb"], row["reason"]) for row in rows]

    # ---- what people see --------------------------------------------------------------------------------------------

    async def shown_to_ana(self, text: str) -> None:
        await self.slack.dm(ANA).wait_for(text)

    async def shown_to_ben(self, text: str) -> None:
        await self.teams.chat(BEN).wait_for(text)

    async def shown_to_mia(self, letters: int = 1) -> None:
        await self.mail.wait_for(letters, to=MIA)

    async def shown_to_all(self, text: str = "Keep blocked") -> None:
        """The request lies before Ana in Slack, Ben in Teams and Mia in her mailbox."""
        await asyncio.gather(self.shown_to_ana(text), self.shown_to_ben(text), self.shown_to_mia())

    def whispers(self, who: str = ANA) -> list[str]:
        """What Slack showed this person alone in their direct message, oldest first."""
        return [each.shown_text() for each in self.slack.dm(who).ephemerals]

    async def whispered(self, text: str, to: str = ANA) -> None:
        await self.slack.until(lambda: any(text in each for each in self.whispers(to)), what=f"a private {text!r}")

    async def click_in_teams(self, label: str, inputs: Json | None = None, *, by: str = BEN) -> Pressed:
        return await self.teams.chat(by).click(label, inputs)

    async def page_of(self, who: str = MIA, letter: int = -1) -> Page:
        """What opens behind the link of a mail."""
        links = self.mail.of(who)[letter].links
        return await self.page_at(next(link for link in links if link.startswith(f"{self.address}/d/")))

    async def page_at(self, link: str) -> Page:
        return await Page.open(self.http, link)


@contextlib.asynccontextmanager
async def installed(
    platforms: Platforms,
    data: Path,
    *,
    install_teams: bool = True,
    port: int = 0,
    kinds: Registry | None = None,
    names: AbstractResolver | None = None,
    **changed: str,
) -> AsyncIterator[World]:
    """The product with these platforms, its operators and a key; `changed` overrides or (with "") unsets settings."""
    port = port or free_port()
    environ = {name: value for name, value in {**platforms.settings(port), **changed}.items() if value}
    settings = settings_files.load(fields(), environ, data, data)
    async with product.made(settings, Mask(settings.secrets), kinds, {}, names) as made, ClientSession() as http:
        runner = web.AppRunner(made.web, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        world = World(platforms=platforms, address=f"http://127.0.0.1:{port}", product=made, http=http)
        world.loops = [asyncio.create_task(work, name=name) for name, work in product.loops(made)]
        platforms.call_back(world.address)
        await put_in_place(world.operators)
        world.key = await world.key_for(*Scope)
        if install_teams and environ.get("TEAMS_APP_ID"):
            await platforms.teams.chat(BEN).install()
            await platforms.teams.chat(CLEO).install()
            await world.settled()  # the roster is read after the answer
        try:
            yield world
        finally:
            await made.dispatcher.drain(2.0)
            for loop in world.loops:
                loop.cancel()
            await asyncio.gather(*world.loops, return_exceptions=True)
            await put_away(runner)


async def put_in_place(operators: Operators) -> None:
    """Ana is an admin, Ben and Mia are operators."""
    known = {each.email for each in await operators.everybody()}
    for name, email, role in (("Ana", ANA, Role.ADMIN), ("Ben", BEN, Role.OPERATOR), ("Mia", MIA, Role.OPERATOR)):
        if email not in known:
            await operators.add(email, name, role, by="cli")
