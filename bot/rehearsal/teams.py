"""A local Microsoft Teams: the login, the connector's keys and its REST interface, and the people behind it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.rehearsal.delivery import Delivery, Sender
from bot.rehearsal.failure import Failure
from bot.rehearsal.http_platform import HttpPlatform
from bot.rehearsal.platform import Json
from bot.rehearsal.teams_activities import Activities
from bot.rehearsal.teams_connector import Connector, ConnectorError
from bot.rehearsal.teams_keys import ISSUER, KEYS_PATH, OPENID_PATH, ConnectorKeys
from bot.rehearsal.teams_login import Login, TeamsApp
from bot.rehearsal.teams_screen import Chat
from bot.rehearsal.teams_state import Scope, TeamsPerson, TeamsState

REGION = "/amer"
PATIENCE = 15.0


class TeamsTenant(HttpPlatform):
    """Its parts, for `fail(…, part=…)`: login, keys, connector."""

    name = "teams"

    def __init__(
        self,
        *,
        app: TeamsApp | None = None,
        limits: bool = True,
        token_lifetime: int = 3599,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(clock=clock, host=host, port=port)
        self.app = app or TeamsApp()
        self.state = TeamsState(self.app, clock)
        self.login = Login(self.app, clock, token_lifetime)
        self.keys = ConnectorKeys(lambda: self.origin, clock, self.app.app_id)
        self.connector = Connector(self.state, self.login, limits)
        self.activities = Activities(self.state)
        self.messages_url: str | None = None
        self.deliveries: list[Delivery] = []
        self._sender = Sender(patience)

    @property
    def login_url(self) -> str:
        return self.origin

    @property
    def openid_metadata_url(self) -> str:
        return f"{self.origin}{OPENID_PATH}"

    @property
    def service_url(self) -> str:
        return f"{self.origin}{REGION}/"

    @property
    def issuer(self) -> str:
        return ISSUER

    @property
    def app_id(self) -> str:
        return self.app.app_id

    @property
    def client_secret(self) -> str:
        return self.app.client_secret

    @property
    def tenant_id(self) -> str:
        return self.app.tenant_id

    async def start(self) -> None:
        await super().start()
        self.state.service_url = self.service_url

    async def stop(self) -> None:
        await self._sender.close()
        await super().stop()

    def serve(self, app: web.Application) -> None:
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self.login.token)
        app.router.add_get(OPENID_PATH, self.keys.openid)
        app.router.add_get(KEYS_PATH, self.keys.jwks)
        self.connector.serve(app, REGION)

    def add_person(self, name: str, email: str, aad_object_id: str | None = None) -> TeamsPerson:
        return self.state.add_person(name, email, aad_object_id)

    def add_channel(self, name: str, members: Sequence[str | TeamsPerson], *, team: str = "Operations") -> Chat:
        return Chat(self, self.state.add_channel(name, team, self._people(members)), None)

    def add_group(self, name: str, members: Sequence[str | TeamsPerson]) -> Chat:
        return Chat(self, self.state.add_group(name, self._people(members)), None)

    def _people(self, members: Sequence[str | TeamsPerson]) -> list[TeamsPerson]:
        return [self.state.person(each) for each in members]

    def chat(self, who: str | TeamsPerson) -> Chat:
        """The personal chat of that person with the bot."""
        person = self.state.person(who)
        return Chat(self, self.state.personal(person), person)

    def channel(self, name: str) -> Chat:
        """By its name, or by "team/name"."""
        return Chat(self, self.state.named(name, Scope.CHANNEL), None)

    def group(self, name: str) -> Chat:
        return Chat(self, self.state.named(name, Scope.GROUP), None)

    def token(self, *, serviceurl: str | None = "", **forged: Any) -> str:
        """A token of the connector; see `ConnectorKeys.token` for what can be forged in it."""
        return self.keys.token(serviceurl=self.service_url if serviceurl == "" else serviceurl, **forged)

    async def send(self, activity: Json) -> Delivery:
        """Delivers it as the connector would."""
        return await self.deliver(activity)

    async def deliver(
        self,
        activity: Json | bytes,
        *,
        token: str | None = "",
        headers: Mapping[str, str | None] | None = None,
    ) -> Delivery:
        """Posts the activity or exactly these bytes; token None sends none, headers given as None are left out."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        right = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Microsoft-SkypeBotApi"}
        if isinstance(activity, dict):
            right["x-ms-conversation-id"] = str((activity.get("conversation") or {}).get("id"))
            right["x-ms-tenant-id"] = self.tenant_id
        if token is not None:
            right["Authorization"] = f"Bearer {token or self.token()}"
        chosen = {name: value for name, value in {**right, **(headers or {})}.items() if value is not None}
        kind = str(activity.get("type")) if isinstance(activity, dict) else "raw"
        delivery = await self._sender.post(self.messages_url, body, chosen, kind)
        self.deliveries.append(delivery)
        self.changed()
        return delivery

    def part(self, path: str) -> str:
        if path.endswith("/oauth2/v2.0/token"):
            return "login"
        return "connector" if path.startswith(REGION) else "keys"

    def destinations(self, method: str, path: str, body: Any) -> frozenset[str]:
        names: set[str] = set()
        given = body if isinstance(body, dict) else {}
        for member in given.get("members") or []:
            person = self.state.people.get(str(member.get("id")))
            names |= {person.id, person.email, person.name} if person else set()
        pieces = path.partition("/v3/conversations/")[2].split("/")
        try:
            thread = self.connector.find(pieces[0])
        except ConnectorError:
            return frozenset(names)
        names |= {thread.id, thread.name, f"{thread.team}/{thread.name}"}
        people = thread.members if thread.scope is Scope.PERSONAL else []
        return frozenset(names | {name for each in people for name in (each.id, each.email, each.name)})

    def refusal(self, part: str, failure: Failure) -> tuple[int, Json]:
        if part == "login":
            status, body = self.login.refusal(failure.code)
            return failure.status or status, body
        return failure.status or 400, {"error": {"code": failure.code, "message": failure.code}}
