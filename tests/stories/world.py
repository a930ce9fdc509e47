"""A whole installation: the product on real ports, beside platforms that behave like the real ones, and verbs to play.

Ana is in Slack, Ben in Teams, Mia reads mail; Cleo is in the Slack workspace and in Teams, but is nobody's operator.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, web
from aiohttp.abc import AbstractResolver

from bot import app as product
from bot import settings as settings_files
from bot.audit.ledger import Ledger
from bot.clock import MovableClock
from bot.keys import Keys, Scope
from bot.logs import Mask
from bot.operators import Operators
from bot.rehearsal.caller import Caller
from bot.rehearsal.failure import status
from bot.rehearsal.http_platform import put_away
from bot.rehearsal.mail import Mailbox
from bot.rehearsal.slack import SlackWorkspace
from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_screen import Pressed
from bot.thresholds import Thresholds
from interactions.model import Role
from interactions.registry import Registry
from tests.stories.page import Page

ANA, BEN, MIA, CLEO = "ana@example.com", "ben@example.com", "mia@example.com", "cleo@example.com"
Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the API."""

    status: int
    body: Json
    headers: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass
class Platforms:
    """Slack, Teams, the mailbox and a caller, each on a port of its own."""

    slack: SlackWorkspace
    teams: TeamsTenant
    mail: Mailbox
    caller: Caller

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, *, limits: bool = False) -> AsyncIterator[Self]:
        async with (
            SlackWorkspace(limits=limits) as slack,
            TeamsTenant(limits=limits) as teams,
            Mailbox() as mail,
            Caller() as caller,
        ):
            for name, email in (("Ana", ANA), ("Cleo", CLEO)):
                slack.add_person(name, email)
            for name, email in (("Ben", BEN), ("Cleo", CLEO)):
                teams.add_person(name, email)
            yield cls(slack, teams, mail, caller)

    def settings(self, port: int) -> dict[str, str]:
        """What an owner would set to use these platforms."""
        teams_host = self.teams.service_url.split("/")[2]
        return {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "TEAMS_APP_ID": self.teams.app_id,
            "TEAMS_CLIENT_SECRET": self.teams.client_secret,
            "TEAMS_TENANT_ID": self.teams.tenant_id,
            "TEAMS_LOGIN_URL": self.teams.login_url,
            "TEAMS_OPENID_METADATA_URL": self.teams.openid_metadata_url,
            "TEAMS_SERVICE_URL_HOSTS": teams_host,
            "SMTP_HOST": self.mail.host,
            "SMTP_PORT": str(self.mail.port),
            "SMTP_FROM": "gatebell@example.com",
            "SMTP_TO": "room@example.com",
            "SMTP_SECURITY": "none",
            "ALERT_RECIPIENT_EMAIL": ANA,
            "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "GATEBELL_TEST_CLOCK": "on",
        }

    def hold_updates(self) -> None:
        """From now on nothing that lies before people can be changed, as while a platform is slow."""
        self.slack.fail(status(503), path="chat.update")
        self.teams.fail(status(503), part="connector", method="PUT")

    def call_back(self, address: str) -> None:
        """Tell the platforms where the product listens."""
        self.slack.events_url = f"{address}/slack/events"
        self.teams.messages_url = f"{address}/api/messages"


@dataclass
class World:
    """One running installation. Everything goes through its HTTP addresses, except what only its owner could do."""

    platforms: Platforms
    address: str
    product: product.Product
    http: ClientSession
    key: str = ""
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

    # ---- what a producer does ---------------------------------------------------------------------------------------

    async def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Answered:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}", **more.pop("headers", {})}
        async with self.http.request(method, f"{self.address}{path}", json=body, headers=headers, **more) as response:
            parsed = await response.json(content_type=None) if response.content_length != 0 else {}
            return Answered(response.status, parsed, response.headers)

    async def tell(self, type_: str, summary: str = "Something happened", **fields: Any) -> Answered:
        return await self.call("POST", "/api/v1/events", {"type": type_, "summary": summary, **fields})

    async def ask(self, kind: str, payload: Json, to: Sequence[str] = (ANA, BEN, MIA), **fields: Any) -> Answered:
        body = {"kind": kind, "payload": payload, "audience": {"operators": list(to)}, **fields}
        return await self.call("POST", "/api/v1/interactions", body)

    async def ask_blocked(self, to: Sequence[str] = (ANA, BEN, MIA), **fields: Any) -> Answered:
        """The question of most stories: an agent was kept from deleting a file."""
        payload = {"agent": "Archivist", "tool": "drive.delete", "arguments": {"path": "/reports/2024.pdf"}}
        return await self.ask("blocked_action", payload, to, **fields)

    async def see(self, id_: str, wait: float = 0) -> Answered:
        return await self.call("GET", f"/api/v1/interactions/{id_}", params={"wait": str(wait)})

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
        factors = {"seconds": 1, "minutes": 60, "hours": 3600}
        await self.kept()  # a jump ends every lease
        self.clock.forward(sum(factors[unit] * count for unit, count in units.items()))
        self.product.dispatcher.wake()

    async def kept(self) -> None:
        """Return once it is written down what was just shown, unless a platform lets it wait: no person is as quick."""
        for _ in range(15):
            row = await self.product.store.read(lambda tx: tx.row("SELECT 1 AS held FROM delivery WHERE lease <> ''"))
            if row is None:
                return
            await a_moment()

    async def until(self, question: Callable[[], object], within: float = 5.0) -> None:
        """Return when the question is answered with something true."""
        async with asyncio.timeout(within):
            while not question():
                await a_moment()

    async def forward_until(self, question: Callable[[], object], within: float = 10.0) -> None:
        """Move time minute by minute until it is so: for what is tried again later."""
        async with asyncio.timeout(within):
            while not question():
                await self.forward(minutes=1)
                await a_moment()

    async def settled(self) -> None:
        """Returns when nothing goes on any more that a request has left behind."""
        await self.call("GET", "/healthz")  # whatever was acknowledged before has begun by then
        while tasks := list(self.product.spawned.tasks):
            await asyncio.wait(tasks, timeout=5)

    async def audit(self) -> list[tuple[str, str]]:
        """(action, actor) of everything that was written down, oldest first."""
        rows = await self.product.store.read(lambda tx: tx.rows("SELECT action, actor FROM audit ORDER BY seq"))
        return [(row["action"], row["actor"]) for row in rows]

    async def until_written(self, action: str) -> None:
        """Return when the audit log knows of it."""
        async with asyncio.timeout(10):
            while action not in [each for each, _ in await self.audit()]:
                await a_moment()

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


async def a_moment() -> None:
    """For what can only be looked at again and again."""
    await asyncio.sleep(0.02)


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
    settings = settings_files.load(product.all_fields(), environ, data, data)
    async with product.made(settings, Mask(settings.secrets), kinds, {}, names) as made, ClientSession() as http:
        runner = web.AppRunner(made.web, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        world = World(platforms, f"http://127.0.0.1:{port}", made, http)
        world.loops = [asyncio.create_task(work, name=name) for name, work in product.loops(made)]
        platforms.call_back(world.address)
        await _people(world)
        if install_teams and environ.get("TEAMS_APP_ID"):
            await platforms.teams.chat(BEN).install()
            await platforms.teams.chat(CLEO).install()
        try:
            yield world
        finally:
            await made.dispatcher.drain(2.0)
            for loop in world.loops:
                loop.cancel()
            await asyncio.gather(*world.loops, return_exceptions=True)
            await put_away(runner)


async def _people(world: World) -> None:
    known = {each.email for each in await world.operators.everybody()}
    for name, email, role in (("Ana", ANA, Role.ADMIN), ("Ben", BEN, Role.OPERATOR), ("Mia", MIA, Role.OPERATOR)):
        if email not in known:
            await world.operators.add(email, name, role, by="cli")
    world.key = await world.key_for(*Scope)
