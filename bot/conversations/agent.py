"""The owner's agent behind AGENT_URL: a signed call with what a person wrote, and what it answers."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from bot.channels.contract import Person
from bot.dispatch.notice import LONGEST_LIFE
from interactions.model import Actor, ReasonRule
from interactions.text import clip, visible

SECONDS = 60.0
LARGEST = 1024 * 1024
LONGEST = 12_000

Sign = Callable[[bytes, str, Sequence[str], datetime], Mapping[str, str]]
"""Content, message id, secrets, moment: the headers of Standard Webhooks."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the agent is. Without secrets the calls are not signed."""

    url: str
    secrets: tuple[str, ...] = ()


def endpoint_of(settings: Mapping[str, str]) -> Endpoint | None:
    """From AGENT_URL and AGENT_SECRET; None where no agent is set up."""
    url, secret = settings.get("AGENT_URL", "").strip(), settings.get("AGENT_SECRET", "").strip()
    return Endpoint(url, (_signing_secret(secret),) if secret else ()) if url else None


class Question(BaseModel):
    """An interaction as agents ask for it; the person who wrote is the one who is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    payload: dict[str, JsonValue]
    expires_in: float | None = Field(default=None, gt=0, le=LONGEST_LIFE, allow_inf_nan=False)
    reason: ReasonRule = ReasonRule.NONE
    callback_url: str = Field(default="", max_length=2000, pattern=r"^(https?://.+)?$")
    idempotency_key: str = Field(default="", max_length=200)


class Reply(BaseModel):
    """What the agent says, what it asks, both, or neither."""

    model_config = ConfigDict(frozen=True)

    markdown: str = ""
    interaction: Question | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """The agent did not answer; `words` say so to the person, without its address."""

    words: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a person wrote, where, and when."""

    text: str
    person: Person
    actor: Actor
    conversation: str
    at: datetime


class Agent:
    def __init__(self, http: Callable[[], ClientSession], sign: Sign, seconds: float = SECONDS) -> None:
        self._http = http
        self._sign = sign
        self._timeout = ClientTimeout(total=seconds, sock_connect=min(seconds, 10))

    async def ask(self, endpoint: Endpoint, message: Message) -> Reply | Silent:
        id_ = f"msg_{uuid4().hex}"
        content = json.dumps(_body(id_, message)).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/markdown"}
        if endpoint.secrets:
            headers |= self._sign(content, id_, endpoint.secrets, message.at)
        try:
            # A redirect is not followed: what a person wrote goes where the owner said, and nowhere else.
            async with self._http().post(
                endpoint.url, data=content, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                return await _read(response)
        except TimeoutError:
            return _silent("did not answer in time")
        except (ClientError, OSError, ValueError):
            return _silent("could not be reached")


def _body(id_: str, message: Message) -> dict[str, JsonValue]:
    person = message.person
    return {
        "id": id_,
        "text": message.text,
        "person": {
            "platform": person.platform,
            "subject": person.subject,
            "name": message.actor.name or person.name,
            "email": message.actor.email,
            "operator": message.actor.id,
        },
        "channel": person.platform,
        "conversation": message.conversation,
        "at": message.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


async def _read(response: ClientResponse) -> Reply | Silent:
    if not 200 <= response.status < 300:
        return _silent(f"did not answer (HTTP {response.status})")
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > LARGEST:
            return _silent("answered more than I can read")
    return _understood(bytes(raw), response.content_type)


def _understood(raw: bytes, content_type: str) -> Reply | Silent:
    if not raw.strip():
        return Reply()
    if content_type.startswith("text/"):
        return Reply(markdown=_shown(raw.decode(errors="replace")))
    try:
        reply = Reply.model_validate_json(raw)
    except ValidationError:
        return _silent("answered something that I cannot read")
    return reply.model_copy(update={"markdown": _shown(reply.markdown)})


def _shown(markdown: str) -> str:
    return clip(visible(markdown).strip(), LONGEST)


def _silent(what: str) -> Silent:
    return Silent(f"Your agent {what}. Try again, or tell the owner of this bot.")


def _signing_secret(text: str) -> str:
    """As Standard Webhooks writes it; any other text counts by its bytes."""
    bare = text.removeprefix("whsec_")
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        key = b""
    return f"whsec_{base64.b64encode(key or text.encode()).decode()}"
