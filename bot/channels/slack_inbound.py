"""What people do in Slack: clicks, windows, messages and commands, over HTTP or Socket Mode, through bolt.

Slack is answered before anything is done; only a submitted window is answered with what came of it.
"""

import asyncio
import hashlib
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from yarl import URL

from bot.channels.contract import TRY_AGAIN, Answer, Chat, Click, DeliveryError, Edge, Person, Review
from bot.channels.slack_chat import CommandChat, RoomChat, heard
from bot.channels.slack_people import Workspace
from bot.channels.slack_requests import (
    Pressed,
    Spot,
    bounded,
    doubt_about,
    is_click,
    is_said,
    is_signed,
    is_whole,
    organisation_of,
    parsed,
    pressed_in,
    spot_of,
    team_of,
    user_of,
)
from bot.channels.slack_web import Web
from bot.channels.slack_windows import block_of, ended, full, notice, placed, spot_behind
from bot.channels.way_in import Doubt, WayIn
from bot.store import StoreUnavailable
from interactions.card import Card
from renderers import block_kit
from renderers.mrkdwn import literal

log = logging.getLogger(__name__)

Json = dict[str, Any]
Ack = Callable[..., Awaitable[object]]
Show = Callable[[str, str, Card], Awaitable[None]]

_REPLAY_SECONDS = 900.0
_EVENT_SECONDS = 7200.0  # Slack tries an event again for about an hour
_SAID_SECONDS = 7 * 86400.0
_WINDOW_PATIENCE = 1.0  # a click opens a window for three seconds
_SUBMIT_PATIENCE = 2.3  # a submitted window waits three seconds
_EVERY = re.compile("")
_HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})

# bolt writes whole requests, with their tokens, into its warnings.
_QUIET = logging.getLogger("gatebell.slack.bolt")
_QUIET.setLevel(logging.ERROR)

_ANOTHER_APP = Doubt(
    "the calls come from another app than the one of SLACK_BOT_TOKEN",
    "Copy SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET and SLACK_APP_TOKEN again, all from the pages of one app.",
)
TOO_LATE = "That took too long, so Slack closed the window. Please press the button again."
NOT_TAKEN = "Gatebell cannot tell whether this comes from its own workspace, so nothing was changed."
STILL_WORKING = "This takes longer than usual. The message will show what came of it."


class Inbound:
    """`show` brings the message that was clicked up to date; `way_in` notes what came in."""

    def __init__(
        self,
        workspace: Workspace,
        api: Web,
        edge: Edge,
        show: Show,
        way_in: WayIn,
        *,
        secret: str = "",
        api_url: str = "",
    ) -> None:
        self._workspace = workspace
        self._web = api
        self._edge = edge
        self._show = show
        self._way_in = way_in
        self._secret = secret.encode()
        self._api_url = URL(api_url)
        self._app = self._bolt()

    def _bolt(self) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            """No call to Slack: a request must not wait for one before it is acknowledged."""
            return AuthorizeResult(enterprise_id=None, team_id=None, user_id=None)

        app = AsyncApp(
            name="gatebell",
            logger=_QUIET,
            client=self._web.client(),
            authorize=authorize,
            signing_secret="",  # checked before bolt sees a request
            ignoring_self_events_enabled=False,  # needs the bot's id, which is known only after a call
            attaching_conversation_kwargs_enabled=False,
        )
        app.action(_EVERY)(self._clicked)
        app.view(_EVERY)(self._submitted)
        app.event(_EVERY)(self._happened)
        app.command(_EVERY)(self._commanded)
        app.shortcut(_EVERY)(_acknowledged)
        return app

    # ---- the two ways in ---------------------------------------------------------------------------------------------

    async def http(self, request: web.Request) -> web.Response:
        raw = await bounded(request)
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        at = time.time()
        if not is_signed(raw, stamp, signature, self._secret, at):
            if doubt := doubt_about(raw, stamp, signature, self._secret, at):
                self._way_in.refused(doubt)
            self._way_in.forged("slack", "a request without a valid signature")
            raise web.HTTPUnauthorized(text="The signature is missing, wrong or too old.")
        if not await self._edge.once(f"slack:signature:{signature}", _REPLAY_SECONDS):
            self._way_in.forged("slack", "a request that came before")
            return web.Response()
        body = parsed(raw, request.content_type)
        if body is None:
            raise web.HTTPBadRequest(text="This is no request of Slack's.")
        status, answer = await self._dispatch(body)
        return web.json_response(answer, status=status) if answer else web.Response(status=status)

    async def take(self, envelope: Json) -> Json | None:
        """A request that came over the socket: the connection was opened with our own token, so it is Slack's."""
        payload = envelope.get("payload")
        return (await self._dispatch(payload))[1] if isinstance(payload, dict) else None

    async def _dispatch(self, body: Json) -> tuple[int, Json | None]:
        """bolt gets what was read here: its own reader loses a command in whose text the word "payload" stands."""
        if not is_whole(body):
            return 400, None
        self._way_in.took(click=is_click(body))
        try:
            request = AsyncBoltRequest(body=body, mode="socket_mode")
        except (AttributeError, KeyError, TypeError):
            return 400, None
        response = await self._app.async_dispatch(request)
        # What nobody listens to is acknowledged too: Slack would send it again, or show the person an error.
        status = 200 if response.status == 404 else response.status
        return status, json.loads(response.body) if response.body.startswith("{") and status == 200 else None

    # ---- clicks ------------------------------------------------------------------------------------------------------

    async def _clicked(self, ack: Ack, body: Json) -> None:
        await ack()
        self._edge.spawn(self._owed(body, self._click(body)))

    async def _owed(self, body: Json, work: Awaitable[None]) -> None:
        """Slack was answered before, so a person who is owed an answer hears here that nothing came of it."""
        try:
            await work
        except StoreUnavailable as error:
            log.warning("what a person did came to nothing, as the database is unavailable: %s", error)
            await self._whisper(spot_of(body), Person("slack", user_of(body)), TRY_AGAIN)

    async def _click(self, body: Json) -> None:
        if not await self._is_ours(body) or not await self._first(body):
            return
        spot, trigger = spot_of(body), str(body.get("trigger_id") or "")
        person = await self._person(body)
        for action in body.get("actions") or []:
            pressed = pressed_in(action)
            if pressed is None:
                continue
            if pressed.choice:
                await self._choose(pressed, person, spot, trigger)
            else:
                await self._review(pressed.token, person, spot, trigger)

    async def _choose(self, pressed: Pressed, person: Person, spot: Spot, trigger: str) -> None:
        """Decides, or asks first for what the choice needs."""
        found = await self._edge.desk.review(pressed.token, person)
        if isinstance(found, Review) and found.may_decide and found.card.inputs_of(pressed.choice):
            view = block_kit.modal(found.card, pressed.token, pressed.choice)
            await self._open(trigger, placed(view, spot), person, spot)
        else:
            await self._decide(Click(pressed.token, pressed.choice, person), spot)

    async def _decide(self, click: Click, spot: Spot) -> None:
        answer = await self._edge.desk.answer(click)
        await self._reflect(spot, answer)
        if not answer.accepted:
            await self._whisper(spot, click.person, answer.words)

    async def _reflect(self, spot: Spot, answer: Answer) -> None:
        """Shows an ended request at once. The worker does the same a moment later, and every other state alone:

        only an end cannot be overtaken by a newer state, so that this never puts an older one over it.
        """
        if answer.card is not None and answer.card.outcome is not None and spot.message:
            try:
                await self._show(spot.place, spot.message, answer.card)
            except DeliveryError as error:
                log.info("a clicked message was not updated at once: %s", error.detail)

    async def _whisper(self, spot: Spot, person: Person, words: str) -> None:
        """For this person alone: where the click was, else as a direct message."""
        user = person.subject.rpartition(":")[2]
        thread = {"thread_ts": spot.thread} if spot.thread else {}
        try:
            if spot.place:
                await self._web.call("chat.postEphemeral", channel=spot.place, user=user, text=literal(words), **thread)
                return
        except DeliveryError as error:
            log.info("a private answer goes to the direct message: %s", error.detail)
        try:
            await self._web.call("chat.postMessage", channel=user, text=literal(words))
        except DeliveryError as error:
            log.warning("a private answer was lost: %s", error.detail)

    # ---- windows -----------------------------------------------------------------------------------------------------

    async def _review(self, token: str, person: Person, spot: Spot, trigger: str) -> None:
        """The whole request in a window; where the desk is slow, an empty window keeps the click's right to one."""
        reviewing = asyncio.ensure_future(self._edge.desk.review(token, person))
        await asyncio.wait({reviewing}, timeout=_WINDOW_PATIENCE)
        if reviewing.done():
            found = reviewing.result()
            if isinstance(found, Review):
                await self._open(trigger, placed(full(found, token), spot), person, spot)
            else:
                await self._reflect(spot, found)
                await self._whisper(spot, person, found.words)
            return
        opened = await self._open(trigger, notice("One moment…"), person, spot)
        found = await reviewing
        view = placed(full(found, token), spot) if isinstance(found, Review) else notice(found.words)
        await self._replace(opened, view)

    async def _open(self, trigger: str, view: Json, person: Person, spot: Spot) -> str:
        try:
            opened = await self._web.call("views.open", trigger_id=trigger, view=view)
        except DeliveryError as error:
            log.warning("a window did not open: %s", error.detail)
            await self._whisper(spot, person, TOO_LATE)
            return ""
        return str((opened.get("view") or {}).get("id") or "")

    async def _replace(self, view_id: str, view: Json) -> None:
        if not view_id:
            return
        try:
            await self._web.call("views.update", view_id=view_id, view=view)
        except DeliveryError as error:
            log.info("a window was not updated: %s", error.detail)

    async def _submitted(self, ack: Ack, body: Json) -> None:
        """Answered with what came of it, because only now can the window say what is wrong."""
        submitting = asyncio.ensure_future(self._submit(body))
        await asyncio.wait({submitting}, timeout=_SUBMIT_PATIENCE)
        if submitting.done():
            await ack(submitting.result())
            return
        await ack(response_action="update", view=notice(STILL_WORKING))
        self._edge.spawn(self._late(submitting, str((body.get("view") or {}).get("id") or "")))

    async def _late(self, submitting: "asyncio.Future[Json]", view_id: str) -> None:
        answer = await submitting
        words = answer.get("errors") or {}
        view = answer.get("view") or notice(next(iter(words.values()), "Your answer was stored."))
        await self._replace(view_id, view)

    async def _submit(self, body: Json) -> Json:
        """The acknowledgement: empty closes the window. What was typed stays where it could not be taken."""
        try:
            return await self._taken(body)
        except StoreUnavailable as error:
            log.warning("a window was not taken, as the database is unavailable: %s", error)
            blocks = (body.get("view") or {}).get("blocks") or []
            typed = next((each["block_id"] for each in blocks if each.get("type") == "input"), "")
            again = {"response_action": "errors", "errors": {typed: TRY_AGAIN}}
            return again if typed else {"response_action": "update", "view": notice(TRY_AGAIN)}

    async def _taken(self, body: Json) -> Json:
        view = body.get("view") or {}
        if view.get("callback_id") != "answer":
            return {}
        if not await self._is_ours(body):
            return {"response_action": "update", "view": notice(NOT_TAKEN)}
        if not await self._first(body):
            return {}
        given = block_kit.read_modal(view)
        person = await self._person(body)
        answer = await self._edge.desk.answer(Click(given.token, given.choice, person, given.inputs))
        # A refusal for want of an input has not ended anything, so there is nothing to show elsewhere.
        self._edge.spawn(self._reflect(spot_behind(view), answer))
        if answer.accepted:
            return {}
        block = block_of(answer.field)
        if any(each.get("block_id") == block for each in view.get("blocks") or []):
            return {"response_action": "errors", "errors": {block: answer.words}}
        return {"response_action": "update", "view": ended(answer, given.token)}

    # ---- messages and commands ---------------------------------------------------------------------------------------

    async def _happened(self, ack: Ack, body: Json) -> None:
        await ack()
        if is_said(body.get("event") or {}):
            self._edge.spawn(self._owed(body, self._hear(body)))

    async def _hear(self, body: Json) -> None:
        event = body["event"]
        if not await self._is_ours(body):
            return
        if not await self._edge.once(f"slack:event:{body.get('event_id')}", _EVENT_SECONDS):
            return
        if event["type"] == "app_mention" and await self._was_heard(event):
            return
        home = await self._workspace.home()
        if event["user"] == home.bot_user:
            return
        person = await self._workspace.person(event["user"], str(event.get("user_team") or event.get("team") or ""))
        said = str(event.get("ts") or "")
        # In a direct message an answer stands below, in a channel in a thread, so that it disturbs nobody else.
        thread = str(event.get("thread_ts") or ("" if event.get("channel_type") == "im" else said))
        chat = RoomChat(person, self._web, str(event.get("channel") or ""), said, thread)
        await self._talk(heard(str(event.get("text") or ""), home.bot_user), chat)

    async def _was_heard(self, event: Json) -> bool:
        """Slack tells a mention anew whenever its message is changed, also where it only unfolds a link in it."""
        is_new = await self._edge.once(f"slack:said:{event.get('channel')}:{event.get('ts')}", _SAID_SECONDS)
        return bool(event.get("edited")) and not is_new

    async def _commanded(self, ack: Ack, body: Json) -> None:
        await ack()
        self._edge.spawn(self._owed(body, self._command(body)))

    async def _command(self, body: Json) -> None:
        if not await self._is_ours(body) or not await self._first(body):
            return
        person = await self._person(body)
        url = str(body.get("response_url") or "")
        chat: Chat
        if self._may_answer_at(url):
            chat = CommandChat(person, self._edge.http(), url)
        else:
            chat = RoomChat(person, self._web, str(body.get("user_id") or ""), "")
        await self._talk(heard(str(body.get("text") or "")), chat)

    async def _talk(self, text: str, chat: Chat) -> None:
        try:
            await self._edge.talk.hear(text, chat)
        except DeliveryError as error:
            log.warning("an answer did not reach its person: %s", error.detail)

    def _may_answer_at(self, url: str) -> bool:
        """Slack's own hosts, or the one that the owner configured in its place."""
        try:
            target = URL(url)
            return target.origin() == self._api_url.origin() or (target.scheme == "https" and target.host in _HOOKS)
        except ValueError:
            return False

    # ---- who it is and whether it counts -----------------------------------------------------------------------------

    async def _is_ours(self, body: Json) -> bool:
        """Whether it comes from our own workspace and app. The signature proves only the app."""
        try:
            home = await self._workspace.home()
        except DeliveryError as error:
            log.warning("a request was refused, because Slack did not say whose workspace this is: %s", error.detail)
            return False
        app = str(body.get("api_app_id") or "")
        if not home.is_home(team_of(body), organisation_of(body)):
            await self._refuse(body, "a request from another workspace")
            return False
        if self._workspace.app and app and app != self._workspace.app:
            self._way_in.refused(_ANOTHER_APP)
            await self._refuse(body, "a request from another app")
            return False
        await self._workspace.pin_app(app)
        return True

    async def _refuse(self, body: Json, why: str) -> None:
        await self._edge.desk.refused("slack", why, f"{team_of(body)}:{user_of(body)}")

    async def _first(self, body: Json) -> bool:
        """A click that is repeated to the letter is a replay: every real one has a trigger and a moment of its own."""
        seen = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return await self._edge.once(f"slack:action:{seen}", _REPLAY_SECONDS)

    async def _person(self, body: Json) -> Person:
        user = body.get("user")
        team = str(user.get("team_id") or "") if isinstance(user, dict) else ""
        return await self._workspace.person(user_of(body), team or team_of(body))


async def _acknowledged(ack: Ack) -> None:
    await ack()
