"""A local Slack: the Web API, interactivity, events and Socket Mode, with the limits and signatures of the real one."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.rehearsal.delivery import Delivery
from bot.rehearsal.failure import Failure
from bot.rehearsal.http_platform import HttpPlatform, parsed
from bot.rehearsal.platform import Json
from bot.rehearsal.slack_api import JSON_METHODS, RefusedError, SlackApi, TooFastError
from bot.rehearsal.slack_message import Message
from bot.rehearsal.slack_modal import Modal
from bot.rehearsal.slack_payloads import Payloads
from bot.rehearsal.slack_push import SlackPush
from bot.rehearsal.slack_screen import Conversation
from bot.rehearsal.slack_socket import Sockets
from bot.rehearsal.slack_state import DEFAULT_SCOPES, PATIENCE, Person, Room, SlackApp, SlackState


class SlackWorkspace(HttpPlatform):
    """`patience` is how long an acknowledgement and a trigger may take: three seconds at Slack."""

    name = "slack"

    def __init__(
        self,
        *,
        app: SlackApp | None = None,
        scopes: Sequence[str] = DEFAULT_SCOPES,
        limits: bool = True,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(clock=clock, host=host, port=port)
        self.app = app or SlackApp(scopes=tuple(scopes))
        self.state = SlackState(self.app, clock, patience)
        self.sockets = Sockets(self.app.app_id, self.changed)
        self.api = SlackApi(self.state, limits, lambda: self.sockets.new_url(self.origin))
        self.payloads = Payloads(self.state)
        self.push = SlackPush(self.state, self.sockets, self.run_later, self.changed)

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    @property
    def bot_token(self) -> str:
        return self.app.bot_token

    @property
    def app_token(self) -> str:
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.app.signing_secret

    @property
    def team_id(self) -> str:
        return self.app.team_id

    @property
    def app_id(self) -> str:
        return self.app.app_id

    @property
    def events_url(self) -> str | None:
        return self.push.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.push.events_url = url

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the app, with how it was acknowledged."""
        return self.push.deliveries

    async def start(self) -> None:
        await super().start()
        self.state.origin = self.origin

    async def stop(self) -> None:
        await self.sockets.close()
        await self.push.close()
        await super().stop()

    def serve(self, app: web.Application) -> None:
        app.router.add_route("*", "/api/{method}", self._api_call)
        app.router.add_get("/link/", self.sockets.connect)
        app.router.add_post("/actions/{team}/{number}/{ticket}", self._response_url)

    def add_person(
        self, name: str, email: str, *, user_id: str | None = None, team: str | None = None, tz: str = "Europe/Berlin"
    ) -> Person:
        return self.state.add_person(name, email, user_id, team, tz)

    def deactivate(self, who: str | Person) -> None:
        """Slack finds this person by no address any more, but takes what is sent to them."""
        self.state.deactivated.add(self.state.person(who).id)

    def add_channel(self, name: str, members: Sequence[str | Person] = (), *, with_bot: bool = True) -> Conversation:
        people = [self.state.person(each).id for each in members]
        return Conversation(self, self.state.add_room(name, people, with_bot), None)

    def dm(self, who: str | Person) -> Conversation:
        person = self.state.person(who)
        return Conversation(self, self.state.direct(person), person)

    def room(self, name: str) -> Conversation:
        found = self.state.room(name)
        if found is None:
            raise LookupError(f"no channel is called {name}")
        return Conversation(self, found, None)

    def modals(self, who: str | Person) -> list[Modal]:
        """The open modals of a person, the newest last."""
        person = self.state.person(who)
        views = self.state.views.values()
        return [Modal(self, view) for view in views if view.open and view.user == person.id]

    async def interact(self, payload: Json) -> Delivery:
        """Sends this click or submission, signed."""
        return await self.push.interaction(payload)

    async def deliver(
        self,
        body: bytes,
        headers: Mapping[str, str | None] | None = None,
        *,
        content_type: str = "application/json",
        secret: str | None = None,
        timestamp: float | None = None,
    ) -> Delivery:
        """Exactly these bytes over HTTP; headers replace the right ones, None leaves one out."""
        return await self.push.deliver(body, headers, content_type=content_type, secret=secret, timestamp=timestamp)

    def sign(self, body: bytes, timestamp: str, secret: str | None = None) -> str:
        return self.push.sign(body, timestamp, secret)

    async def verify_url(self, challenge: str = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P") -> Delivery:
        """What Slack asks when an owner types the request URL."""
        return await self.deliver(json.dumps(self.payloads.url_verification(challenge)).encode())

    async def _api_call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        reads_body = method in JSON_METHODS or request.content_type != "application/json"
        given = {**request.query, **(self._given(request, await request.read()) if reads_body else {})}
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(given.pop("token", ""))
        headers = {"x-oauth-scopes": ",".join(self.app.scopes), "x-slack-req-id": self.state.new_id("R")}
        try:
            answer = self.api.call(method, token, given)
        except RefusedError as refused:
            return web.json_response(refused.answer, headers=headers)
        except TooFastError:
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        return web.json_response(answer, headers=headers)

    @staticmethod
    def _given(request: web.Request, raw: bytes) -> Json:
        body = parsed(request, raw)
        return body if isinstance(body, dict) else {}

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        promise = self.state.response_urls.get(request.match_info["ticket"])
        if promise is None or promise.is_over:
            return web.json_response({"ok": False, "error": "used_url" if promise else "expired_url"}, status=404)
        promise.uses += 1
        try:
            self.respond(promise.room, promise.user, promise.message, self._given(request, await request.read()))
        except RefusedError as refused:
            return web.json_response(refused.answer, status=400)
        return web.Response(text="ok")

    def respond(self, room: Room, user: str, original: Message | None, given: Json) -> None:
        """What an app says through a response_url or as the answer to a command."""
        if given.get("delete_original"):
            self._take_away(room, user, original)
            return
        text, blocks, attachments = self.api.content(given)
        if original is not None and given.get("replace_original"):
            original.text, original.blocks, original.attachments = text, blocks, attachments
            original.edited += 1
        else:
            message = Message(self.state.new_ts(), self.app.bot_user_id, text, blocks, attachments)
            public = given.get("response_type") == "in_channel"
            message.ephemeral_for = None if public else user
            (room.messages if public else room.ephemerals[user]).append(message)
        self.changed()

    def _take_away(self, room: Room, user: str, original: Message | None) -> None:
        for shelf in (room.messages, room.ephemerals[user]):
            if original in shelf:
                shelf.remove(original)
        self.changed()

    def destinations(self, method: str, path: str, body: Any) -> frozenset[str]:
        given = body if isinstance(body, dict) else {}
        person = self.state.people.get(str(given.get("user") or given.get("users") or ""))
        person = person or self.state.by_email(str(given.get("email") or ""))
        names = {person.id, person.email, person.name} if person else set()
        room = self.state.room(str(given.get("channel") or given.get("channel_id") or ""))
        if room is not None:
            names |= {room.id, room.name, f"#{room.name}"}
            members = [self.state.people[each] for each in room.members if room.is_im]
            names |= {name for each in members for name in (each.id, each.email, each.name)}
        return frozenset(names)

    def refusal(self, part: str, failure: Failure) -> tuple[int, Json]:
        return failure.status or 200, {"ok": False, "error": failure.code}
