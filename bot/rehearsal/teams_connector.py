"""The Bot Connector's REST interface with its refusals and its pace."""

import json
import math
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.rehearsal.platform import Json
from bot.rehearsal.teams_login import Login
from bot.rehearsal.teams_rules import activity_problem, is_too_big
from bot.rehearsal.teams_state import Posted, Scope, TeamsPerson, TeamsState, Thread

WINDOWS = ((1, 7), (2, 8), (30, 60), (3600, 1800))
ROSTER = ("BotNotInConversationRoster", "The bot is not part of the conversation roster.")
Answer = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


class ConnectorError(Exception):
    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"code": code, "message": message}}
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


class Pace:
    """Sends per conversation in the documented windows."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[float]] = defaultdict(deque)

    def take(self, thread: str) -> None:
        now = time.monotonic()
        sent = self._sent[thread]
        while sent and now - sent[0] > WINDOWS[-1][0]:
            sent.popleft()
        for seconds, most in WINDOWS:
            recent = [at for at in sent if now - at < seconds]
            if len(recent) >= most:
                wait = max(1, math.ceil(recent[-most] + seconds - now))
                raise ConnectorError(429, "TooManyRequests", "API calls quota exceeded!", wait)
        sent.append(now)


class Connector:
    def __init__(self, state: TeamsState, login: Login, limits: bool) -> None:
        self.state = state
        self.login = login
        self.limits = limits
        self._pace = Pace()

    def serve(self, app: web.Application, prefix: str) -> None:
        threads = f"{prefix}/v3/conversations"
        routes: tuple[tuple[str, str, Answer], ...] = (
            ("POST", "", self._create),
            ("POST", "/{thread}/activities", self._send),
            ("POST", "/{thread}/activities/{activity}", self._send),
            ("PUT", "/{thread}/activities/{activity}", self._replace),
            ("DELETE", "/{thread}/activities/{activity}", self._delete),
            ("GET", "/{thread}/members", self._members),
            ("GET", "/{thread}/pagedmembers", self._paged_members),
            ("GET", "/{thread}/members/{member}", self._member),
        )
        for method, path, answer in routes:
            app.router.add_route(method, threads + path, self._guarded(answer))

    def _guarded(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self.login.accepts(request.headers.get("Authorization", "")):
                denied = {"message": "Authorization has been denied for this request."}
                return web.json_response(denied, status=401)
            try:
                return await answer(request, await _body(request))
            except ConnectorError as refused:
                return web.json_response(refused.body, status=refused.status, headers=refused.headers)

        return guarded

    def find(self, conversation: str) -> Thread:
        """A channel's conversation may carry the root message of a reply chain."""
        thread = self.state.threads.get(conversation.partition(";messageid=")[0])
        if thread is None or thread.deleted:
            raise ConnectorError(404, "ConversationNotFound", "Conversation not found.")
        return thread

    def _thread(self, request: web.Request) -> Thread:
        return self._welcome(self.find(request.match_info["thread"]))

    def _roster(self, request: web.Request) -> list[TeamsPerson]:
        """A channel's holds whoever was there, a team's everybody."""
        asked = request.match_info["thread"]
        return self._welcome(self.state.team(asked) or self.find(asked)).members

    def _welcome(self, thread: Thread) -> Thread:
        if not thread.installed and not (thread.scope is Scope.PERSONAL and self.state.can_reach(thread.members[0])):
            raise ConnectorError(403, *ROSTER)
        if thread.blocked:
            raise ConnectorError(403, "ConversationBlockedByUser", "User blocked the conversation with the bot.")
        return thread

    def _checked(self, activity: Any) -> Json:
        if isinstance(activity, dict) and is_too_big(activity):
            raise ConnectorError(413, "MessageSizeTooBig", "Message size too large.")
        if problem := activity_problem(activity):
            raise ConnectorError(400, "BadSyntax", problem)
        checked: Json = activity
        return checked

    async def _create(self, request: web.Request, body: Any) -> web.StreamResponse:
        given = body if isinstance(body, dict) else {}
        thread = self._wanted(given)
        self._take_turn(f"create {thread.id}")
        answer = {"id": thread.id, "serviceUrl": self.state.service_url}
        if given.get("activity"):
            activity = self._checked(given["activity"])
            self._take_turn(thread.id)
            post = self._keep(thread, activity, None)
            answer["activityId"] = post.id
            if thread.scope is Scope.CHANNEL:
                answer["id"] = f"{thread.id};messageid={post.id}"
        return web.json_response(answer, status=201)

    def _wanted(self, given: Json) -> Thread:
        tenant = given.get("tenantId") or _dig(given, "channelData", "tenant", "id")
        if tenant not in {None, self.state.app.tenant_id}:
            raise ConnectorError(403, "ForbiddenOperationException", "The tenant is not the bot's tenant.")
        if channel := _dig(given, "channelData", "channel", "id"):
            if not given.get("activity"):
                raise ConnectorError(400, "BadSyntax", "Incorrect conversation creation parameters")
            thread = self.find(channel)
            if not thread.installed:
                raise ConnectorError(403, *ROSTER)
            return thread
        members = given.get("members") or []
        if len(members) != 1 or given.get("isGroup"):
            raise ConnectorError(400, "BadSyntax", "Incorrect conversation creation parameters")
        if tenant is None:
            raise ConnectorError(400, "BadSyntax", "The tenant is missing in channelData")
        return self._personal(str(members[0].get("id", "")))

    def _personal(self, who: str) -> Thread:
        try:
            person = self.state.person(who)
        except LookupError:
            raise ConnectorError(400, "BadArgument", "Failed to decrypt pairwise id") from None
        if not self.state.can_reach(person):
            raise ConnectorError(403, *ROSTER)
        return self.state.personal(person)

    async def _send(self, request: web.Request, body: Any) -> web.StreamResponse:
        thread = self._thread(request)
        activity = self._checked(body)
        self._take_turn(thread.id)
        if activity["type"] == "typing":
            thread.typing.append(self.state.clock())
            return web.json_response({}, status=202)
        root = request.match_info["thread"].partition(";messageid=")[2]
        reply_to = request.match_info.get("activity") or root or None
        if activity.get("text") and activity.get("attachments"):
            self._keep(thread, {**activity, "attachments": []}, reply_to)
            self._keep(thread, {**activity, "text": ""}, reply_to)
            return web.json_response({}, status=201)
        return web.json_response({"id": self._keep(thread, activity, reply_to).id}, status=201)

    def _take_turn(self, thread: str) -> None:
        if self.limits:
            self._pace.take(thread)

    def _keep(self, thread: Thread, activity: Json, reply_to: str | None) -> Posted:
        post = Posted(self.state.new_activity_id(), activity, by_bot=True)
        post.activity = {**activity, "id": post.id, **({"replyToId": reply_to} if reply_to else {})}
        thread.posts.append(post)
        return post

    def _post(self, request: web.Request, thread: Thread) -> Posted:
        post = thread.post(request.match_info["activity"])
        if post is None:
            raise ConnectorError(404, "ActivityNotFoundInConversation", "The activity is not in this conversation.")
        if not post.by_bot:
            raise ConnectorError(403, "ForbiddenOperationException", "The bot did not send this activity.")
        return post

    async def _replace(self, request: web.Request, body: Any) -> web.StreamResponse:
        post = self._post(request, self._thread(request))
        activity = self._checked(body)
        reply_to = {"replyToId": post.activity["replyToId"]} if "replyToId" in post.activity else {}
        post.activity = {**activity, "id": post.id, **reply_to}
        post.own.clear()
        post.edited += 1
        return web.json_response({"id": post.id})

    async def _delete(self, request: web.Request, body: Any) -> web.StreamResponse:
        thread = self._thread(request)
        thread.posts.remove(self._post(request, thread))
        return web.Response(status=200)

    async def _members(self, request: web.Request, body: Any) -> web.StreamResponse:
        return web.json_response([self.described(each) for each in self._roster(request)])

    async def _paged_members(self, request: web.Request, body: Any) -> web.StreamResponse:
        members = self._roster(request)
        start = int(request.query.get("continuationToken") or 0)
        size = int(request.query.get("pageSize") or 200)
        answer: Json = {"members": [self.described(each) for each in members[start : start + size]]}
        if start + size < len(members):
            answer["continuationToken"] = str(start + size)
        return web.json_response(answer)

    async def _member(self, request: web.Request, body: Any) -> web.StreamResponse:
        wanted = request.match_info["member"].casefold()
        for person in self._roster(request):
            if wanted in {person.id.casefold(), person.aad_object_id.casefold(), person.email.casefold()}:
                return web.json_response(self.described(person))
        raise ConnectorError(404, "MemberNotFoundInConversation", "The member is not in this conversation.")

    def described(self, person: TeamsPerson) -> Json:
        given, _, family = person.name.partition(" ")
        return {
            "id": person.id,
            "name": person.name,
            "objectId": person.aad_object_id,
            "aadObjectId": person.aad_object_id,
            "givenName": given,
            "surname": family,
            "email": person.email,
            "userPrincipalName": person.email,
            "tenantId": self.state.app.tenant_id,
            "userRole": "user",
        }


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        raise ConnectorError(400, "BadSyntax", "Bad format of request body") from None


def _dig(given: Any, *path: str) -> Any:
    for key in path:
        given = given.get(key) if isinstance(given, dict) else None
    return given
