"""The side that asks: an agent with an API key, which waits for people and does only what was approved."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.rehearsal.delivery import json_or
from bot.rehearsal.demo.cast import CAST
from bot.rehearsal.demo.runs import Run, Runs
from bot.rehearsal.platform import Json

WAIT = 20  # seconds of one long poll
PATIENCE = 30 * 60.0  # seconds after which a question of the demo expires
AGAIN = 0.4
WHERE = {
    "slack": "in Slack",
    "teams": "in Teams",
    "email": "on the page behind the mail's link",
    "admin": "on the admin pages",
    "api": "over the API",
}
SEEN = {"slack", "teams"}  # platforms that see the press themselves


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def __getitem__(self, name: str) -> Any:
        return self.body.get(name) if isinstance(self.body, dict) else None

    @property
    def words(self) -> str:
        """A problem document in one line."""
        return f"{self.status}: {self['detail'] or self['title'] or self.body}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent asks for, and the words for what it does with each kind of answer."""

    agent: str
    kind: str
    payload: Mapping[str, Any]
    asks: str
    if_approved: str
    if_not: str
    session: str = ""


class Agent:
    def __init__(self, address: str, runs: Runs, callback_url: str) -> None:
        self._address = address
        self._runs = runs
        self._callback_url = callback_url
        self._key = ""
        self._session: ClientSession | None = None

    async def open(self, key: str) -> None:
        self._key = key
        self._session = ClientSession(
            headers={"Authorization": f"Bearer {key}"}, timeout=ClientTimeout(total=WAIT + 15, sock_connect=2)
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, run: Run, wish: Wish) -> None:
        """The whole way of an approval: ask, wait, use it once, or leave it."""
        say = self._runs.say
        run.mark = wish.agent
        say(run, "ask", wish.asks, f"POST /api/v1/interactions · {wish.kind}")
        asked = await self._insist(run, "POST", "/api/v1/interactions", self._question(run, wish))
        if not asked.ok:
            say(run, "fail", "The server did not take the question", asked.words)
            run.over = True
            return
        run.question_id = str(asked["id"])
        self._runs.own(run, "caller", str(run.id))
        self._runs.own(run, "server", run.question_id)
        say(run, "ok", "Asked. It is stored, and copies are on their way", f"{asked.status} · id {run.question_id}")
        say(run, "wait", "Waiting for a person", f"GET …?wait={WAIT}, again and again")
        ended = await self._wait(run)
        if not ended.ok:
            say(run, "fail", f"The server no longer says how it stands. {wish.if_not}", ended.words)
        elif ended["status"] == "decided":
            await self._obey(run, wish, ended)
        else:
            say(run, "stop", f"Nobody decided: {ended['status']}. {wish.if_not}")
        run.over = True
        await self.look(run)

    async def report(self, run: Run, event: Mapping[str, Any]) -> Reply:
        return await self._insist(run, "POST", "/api/v1/events", event)

    async def look(self, run: Run) -> None:
        """The question as it stands, for the page; the server may be away."""
        if run.question_id:
            found = await self._call("GET", f"/api/v1/interactions/{run.question_id}")
            if found.ok:
                self._runs.keep(run, found.body)

    def _question(self, run: Run, wish: Wish) -> Json:
        return {
            "kind": wish.kind,
            "payload": dict(wish.payload),
            "audience": {"operators": [player.email for player in CAST]},
            "requested_by": {"agent": wish.agent, "session": wish.session or f"demo-{run.id}"},
            "expires_in": PATIENCE,
            "callback_url": f"{self._callback_url}/{run.id}",
            "idempotency_key": f"demo-{run.id}-{uuid.uuid4().hex}",
        }

    async def _wait(self, run: Run) -> Reply:
        while True:
            reply = await self._insist(run, "GET", f"/api/v1/interactions/{run.question_id}?wait={WAIT}")
            self._runs.keep(run, reply.body)
            if not reply.ok or reply["status"] != "pending":
                return reply

    async def _obey(self, run: Run, wish: Wish, ended: Reply) -> None:
        say, decision = self._runs.say, ended["decision"] or {}
        channel = str(decision.get("channel"))
        chosen = str(decision.get("choice")).replace("_", " ")
        said = f"{decision.get('by')} answered “{chosen}” {WHERE.get(channel, f'in {channel}')}"
        inputs = " · ".join(f"{name}: {value}" for name, value in (decision.get("inputs") or {}).items())
        say(run, "press", said, inputs or str(decision.get("reason") or ""))
        if channel not in SEEN:
            at = datetime.fromisoformat(str(decision.get("decided_at"))).timestamp()
            self._runs.see("press", "server", said, at=at, thing=run.question_id)
        if wish.kind == "clarification":
            say(run, "ran", f"{wish.if_approved} “{chosen}”")
        elif decision.get("approved"):
            await self._use(run, wish, str(ended["digest"]))
        else:
            say(run, "stop", wish.if_not)

    async def _use(self, run: Run, wish: Wish, digest: str) -> None:
        used = await self._insist(run, "POST", f"/api/v1/interactions/{run.question_id}/consume", {"digest": digest})
        if used.ok:
            self._runs.say(run, "ok", "Used the approval, once, for exactly what was shown", f"digest {digest[:20]}…")
            self._runs.say(run, "ran", wish.if_approved)
        else:
            self._runs.say(run, "fail", "The approval could not be used, so nothing was done", used.words)

    async def _insist(self, run: Run, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Tries until the server is there; what is asked twice carries a key that makes it one."""
        away = False
        while True:
            reply = await self._call(method, path, body)
            if reply.status not in {0, 502, 503}:
                if away:
                    back = "The server is back, and so is the question" if run.question_id else "The server is back"
                    self._runs.say(run, "ok", back)
                return reply
            if not away:
                self._runs.say(run, "fail", "The server is away; trying again until it is back", reply.words)
                away = True
                # Whether it is back is asked without holding the line.
                path = path.partition("?")[0]
            await asyncio.sleep(AGAIN)

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        assert self._session is not None, "the agent has its key"
        try:
            async with self._session.request(method, f"{self._address}{path}", json=body) as reply:
                return Reply(reply.status, json_or(await reply.text()))
        except (ClientError, TimeoutError, OSError) as error:
            return Reply(0, {"detail": f"no answer ({type(error).__name__})"})
