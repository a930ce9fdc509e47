"""The way in: who calls is verified once, then Microsoft's bot library takes the activity apart."""

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any, NoReturn

from aiohttp import web
from botbuilder import schema
from botbuilder.core import Bot, InvokeResponse, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter
from botbuilder.schema import Activity
from botframework.connector.auth import BotFrameworkAuthentication, ClaimsIdentity
from msrest.serialization import Deserializer

from bot.channels import teams_answers as answers
from bot.channels.contract import TRY_AGAIN
from bot.channels.teams_activity import dig
from bot.channels.teams_keys import Claims, Keys, KeysUnknown, Unsigned, claims_of
from bot.channels.teams_presence import Presence
from bot.channels.teams_turn import Turn
from bot.channels.way_in import Doubt, WayIn
from bot.store import StoreUnavailable

log = logging.getLogger(__name__)

CHANNEL = "msteams"
LARGEST_BODY = 512 * 1024
# Teams itself gives up after ten to fifteen seconds.
LONGEST_TURN = 10.0
_REPLAYED_WITHIN = 86400.0  # a token is good for an hour or so, and so is a call that somebody has recorded
_DONE_BY_PEOPLE = frozenset({"invoke", "message"})
_ANOTHER_TENANT = Doubt(
    "TEAMS_TENANT_ID is wrong, the calls come from another tenant",
    "Copy “Directory (tenant) ID” from the app's overview in Microsoft Entra.",
)


class Refused(Exception):
    """An activity that is not heard. Forged ones are audited once a minute and kind, signed ones always.

    `doubt` is set where a setting of ours is what may be wrong.
    """

    def __init__(
        self, status: int, why: str, subject: str = "", *, signed: bool = True, doubt: Doubt | None = None
    ) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.subject = subject
        self.signed = signed
        self.doubt = doubt


@dataclass(frozen=True, slots=True)
class Arrival:
    """An activity of Teams, from our tenant, and what its token vouches for."""

    body: dict[str, Any]
    claims: Claims


class NobodyElse(BotFrameworkAuthentication):
    """The library's own ways of letting somebody in are closed; `Inbound` is the only door."""

    async def authenticate_request(self, activity: Activity, auth_header: str) -> NoReturn:
        raise PermissionError

    async def authenticate_streaming_request(self, auth_header: str, channel_id_header: str) -> NoReturn:
        raise PermissionError

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> NoReturn:
        raise PermissionError

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> NoReturn:
        raise PermissionError


class Inbound(CloudAdapter):
    """The library's adapter with our own `process`: its own answers 500 to forged tokens and to answered clicks."""

    patience = LONGEST_TURN

    def __init__(self, presence: Presence) -> None:
        super().__init__(NobodyElse())
        self.keys = Keys(presence.edge.http, presence.settings.metadata_url)
        self._presence = presence
        self._bot = Turn(presence)
        self._way_in = WayIn(presence.edge)
        self._activities = _deserializer()

    async def process(self, request: web.Request, bot: Bot | None = None, ws_response: None = None) -> web.Response:
        end = asyncio.get_running_loop().time() + self.patience
        try:
            async with asyncio.timeout_at(end):
                arrival = await self._admit(request)
            activity = self._activity(arrival.body)
        except Refused as refused:
            return self._refuse(refused)
        except (KeysUnknown, TimeoutError):
            return web.json_response({"error": "it cannot be told yet who this is"}, status=503)
        self._way_in.took(click=activity.type == "invoke")
        try:
            name = _name_of(arrival.body)
            if not await self._is_new(name, activity):
                return _replayed(activity)
            async with asyncio.timeout_at(end):
                answer = await self._turn(activity, arrival.claims, bot or self._bot)
            if name and activity.type not in _DONE_BY_PEOPLE:
                await self._presence.edge.once(name, _REPLAYED_WITHIN)
        except TimeoutError:
            return _late(activity)
        except StoreUnavailable as error:
            if activity.type != "invoke":
                raise
            log.warning("Teams: a click came to nothing, as the database is unavailable: %s", error)
            return web.json_response(answers.error(500, "Unavailable", TRY_AGAIN))
        return web.json_response(answer.body, status=answer.status) if answer and answer.body else web.Response()

    async def _turn(self, activity: Activity, claims: Claims, bot: Bot) -> InvokeResponse | None:
        context = TurnContext(self, activity)
        context.turn_state[self.BOT_IDENTITY_KEY] = ClaimsIdentity(claims.every, True)
        await self.run_pipeline(context, bot.on_turn)
        return self._process_turn_results(context)

    # ---- the door ----------------------------------------------------------------------------------------------------

    async def _admit(self, request: web.Request) -> Arrival:
        """Cheap questions first; no body of anybody unknown is read."""
        if (request.content_length or 0) > LARGEST_BODY:
            raise Refused(413, "too large", signed=False)
        try:
            claims = await claims_of(request.headers.get("Authorization", ""), self.keys, self._presence.settings)
        except Unsigned as error:
            raise Refused(401, str(error), signed=False, doubt=error.doubt) from None
        body = _parsed(await _read(request))
        self._check(body, claims)
        return Arrival(body, claims)

    def _check(self, body: dict[str, Any], claims: Claims) -> None:
        service_url = body.get("serviceUrl")
        if not isinstance(service_url, str) or not claims.service_url:
            raise Refused(401, "no service URL", _subject(body))
        if service_url.rstrip("/") != claims.service_url.rstrip("/"):
            raise Refused(401, "another service URL than the token's", _subject(body))
        if body.get("channelId") != CHANNEL or CHANNEL not in claims.endorsements:
            raise Refused(403, "a key that is not endorsed for this channel", _subject(body))
        try:
            self._presence.settings.hosts.allowed(service_url)
        except ValueError:
            raise Refused(403, "a service URL whose host is not allowed", _subject(body)) from None
        if _tenants(body) != {self._presence.settings.tenant}:
            raise Refused(403, "another tenant", _subject(body), doubt=_ANOTHER_TENANT)

    def _activity(self, body: dict[str, Any]) -> Activity:
        try:
            activity = self._activities("Activity", body)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise Refused(400, "a malformed activity") from None
        there, who = activity.conversation, activity.from_property
        if not isinstance(activity.type, str) or not there or not there.id or not who or not who.id:
            raise Refused(400, "a malformed activity")
        return activity

    def _refuse(self, refused: Refused) -> web.Response:
        if refused.doubt:
            self._way_in.refused(refused.doubt)
        if refused.status in {401, 403} and refused.signed:
            log.warning("Teams: refused %s", refused.why)
            edge = self._presence.edge
            edge.spawn(edge.desk.refused("teams", refused.why, refused.subject))
        elif refused.status in {401, 403}:
            self._way_in.forged("teams", refused.why)
        return web.json_response({"error": refused.why}, status=refused.status)

    async def _is_new(self, name: str, activity: Activity) -> bool:
        """What a person does is seen before its turn, so that it has one effect, and what came of it is said to them.

        Anything else is seen after its turn: Teams sends it again where that came to nothing.
        """
        if not name:
            return True
        edge = self._presence.edge
        if activity.type in _DONE_BY_PEOPLE:
            return await edge.once(name, _REPLAYED_WITHIN)
        return not await edge.seen(name)


def _deserializer() -> Any:
    """Made once; the library's own `deserialize` makes one for every activity."""
    make: Any = Deserializer
    return make({name: kind for name, kind in vars(schema).items() if isinstance(kind, type)})


def _replayed(activity: Activity) -> web.Response:
    if activity.type != "invoke":
        return web.Response()
    return web.json_response(answers.words("This click has arrived already."))


def _late(activity: Activity) -> web.Response:
    log.warning("Teams: a turn took too long")
    if activity.type != "invoke":
        return web.Response(status=503)
    words = "This takes longer than usual. Please look at the card again in a moment."
    return web.json_response(answers.error(500, "Timeout", words))


async def _read(request: web.Request) -> bytes:
    raw = bytearray()
    async for piece in request.content.iter_any():
        raw += piece
        if len(raw) > LARGEST_BODY:
            raise Refused(413, "too large")
    return bytes(raw)


def _name_of(body: dict[str, Any]) -> str:
    """What tells an activity from every other one; "" for one without an id."""
    if not isinstance(body.get("id"), str):
        return ""
    said = json.dumps([body.get("type"), body["id"], dig(body, "conversation", "id"), _subject(body)])
    return f"seen:{hashlib.sha256(said.encode()).hexdigest()}"


def _parsed(raw: bytes) -> dict[str, Any]:
    """JSON by the letter: no NaN, nothing too deep, no half characters that nothing behind could write down."""
    try:
        body = json.loads(raw, parse_constant=_no_number)
        if b"\\u" in raw:
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(400, "not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "not an activity")
    return body


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _tenants(body: dict[str, Any]) -> set[str]:
    """Every tenant that the activity names; there must be one, and it must be ours."""
    named = (dig(body, "channelData", "tenant", "id"), dig(body, "conversation", "tenantId"))
    return {str(tenant).lower() for tenant in named if tenant is not None}


def _subject(body: dict[str, Any]) -> str:
    return str(dig(body, "from", "aadObjectId") or dig(body, "from", "id") or "")[:200]
