"""The Bot Connector's calls, over the shared session, with the bot's token, to allowed hosts only."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from bot.channels.contract import DeliveryError, Reason
from bot.channels.http import retry_after
from bot.channels.teams_errors import connector_error, transport_error
from bot.channels.teams_settings import TeamsSettings
from bot.channels.teams_token import BotToken

SECONDS = 10.0
_QUICK_SECONDS = 2.0
_PAGE = 500
_MOST_PAGES = 20


class Connector:
    """Raises DeliveryError and nothing else. Tries nothing twice, save after a token that ran out."""

    def __init__(
        self,
        http: Callable[[], ClientSession],
        token: BotToken,
        settings: TeamsSettings,
        now: Callable[[], datetime],
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._http = http
        self._token = token
        self._settings = settings
        self._now = now
        self._patient = ClientTimeout(total=seconds, sock_connect=4)
        self._quick = ClientTimeout(total=min(seconds, _QUICK_SECONDS))

    async def post(self, service_url: str, conversation: str, activity: dict[str, Any]) -> str:
        """The id of the new message."""
        answer = await self._call("POST", service_url, ("conversations", conversation, "activities"), activity)
        if not (message := _id(answer)):
            raise DeliveryError(Reason.UNCLEAR, "Teams took the message, but did not say which one it is")
        return message

    async def notify(self, service_url: str, conversation: str, activity: dict[str, Any]) -> None:
        """An activity that leaves no message, such as typing."""
        path = ("conversations", conversation, "activities")
        await self._call("POST", service_url, path, activity, limit=self._quick)

    async def put(self, service_url: str, conversation: str, message: str, activity: dict[str, Any]) -> None:
        path = ("conversations", conversation, "activities", message)
        await self._call("PUT", service_url, path, {**activity, "id": message})

    async def create_chat(self, service_url: str, member: str) -> str:
        """The id of the conversation between the bot and one person."""
        tenant = self._settings.tenant
        body = {
            "isGroup": False,
            "bot": {"id": self._settings.bot},
            "members": [{"id": member}],
            "tenantId": tenant,
            "channelData": {"tenant": {"id": tenant}},
        }
        if not (chat := _id(await self._call("POST", service_url, ("conversations",), body))):
            raise DeliveryError(Reason.UNAVAILABLE, "Teams did not say which chat it has begun")
        return chat

    async def members(self, service_url: str, conversation: str) -> AsyncIterator[dict[str, Any]]:
        """The roster, page by page, up to 10,000 people."""
        path, query = ("conversations", conversation, "pagedmembers"), f"pageSize={_PAGE}"
        for _ in range(_MOST_PAGES):
            answer = await self._call("GET", service_url, path, query=query)
            answer = answer if isinstance(answer, dict) else {}
            for member in _objects(answer.get("members")):
                yield member
            following = answer.get("continuationToken")
            if not following:
                return
            query = f"pageSize={_PAGE}&continuationToken={quote(str(following), safe='')}"

    async def member(self, service_url: str, conversation: str, user: str) -> dict[str, Any]:
        """One person of the roster, quickly: somebody may be waiting for an answer to a click."""
        path = ("conversations", conversation, "members", user)
        answer = await self._call("GET", service_url, path, limit=self._quick)
        return answer if isinstance(answer, dict) else {}

    async def _call(
        self,
        method: str,
        service_url: str,
        path: tuple[str, ...],
        body: dict[str, Any] | None = None,
        *,
        query: str = "",
        limit: ClientTimeout | None = None,
    ) -> Any:
        limit = limit or self._patient
        url = self._url(service_url, path, query)
        token = await self._token.get()
        try:
            return await self._call_once(method, url, token, body, limit)
        except DeliveryError as error:
            if error.reason is not Reason.UNAUTHORIZED:
                raise
        self._token.refuse(token)
        return await self._call_once(method, url, await self._token.get(), body, limit)

    def _url(self, service_url: str, path: tuple[str, ...], query: str) -> URL:
        """Asked for every call, so that no way leads around it: the token goes to allowed hosts alone."""
        try:
            start = self._settings.hosts.allowed(service_url)
        except ValueError as error:
            raise DeliveryError(Reason.NOT_SET_UP, str(error)) from None
        below = "/".join(quote(part, safe="") for part in path)
        return URL(f"{start}v3/{below}{'?' if query else ''}{query}", encoded=True)

    async def _call_once(
        self, method: str, url: URL, token: str, body: dict[str, Any] | None, limit: ClientTimeout
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self._http().request(
                method, url, json=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                raw = await response.read()
        except (ClientError, OSError) as error:
            raise transport_error(error, "Teams") from None
        answer = _parsed(raw)
        if not 200 <= response.status < 300:
            raise connector_error(response.status, _code(answer), self._retry_after(response))
        if raw and answer is None:
            raise DeliveryError(Reason.UNAVAILABLE, "Teams' answer was not JSON")
        return answer

    def _retry_after(self, response: ClientResponse) -> float | None:
        return retry_after(response.headers.get("Retry-After", ""), self._now())


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _code(answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _id(answer: Any) -> str:
    found = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, str) else ""


def _objects(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
