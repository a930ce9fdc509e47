"""What helps to set a platform up: links that fill in its forms, addresses to copy, what it has told us so far."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.provisioning import SlackApp, Unreachable, creation_link, slack_manifest
from bot.settings import Settings
from bot.store import Store, Tx
from teams_manifest import TeamsApp

_KINDS = {"personal": "A person's own chat", "groupChat": "A group chat", "channel": "A team's channel"}
_PLACES = "teams:place:"


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation that the bot was added to."""

    id: str
    kind: str
    usable: bool
    since: float


@dataclass(frozen=True, slots=True)
class Way:
    """One of several ways to set a channel up. `own` is the setting that this way needs and the others do not."""

    name: str
    title: str
    words: str
    own: str
    public: bool


WAYS: Mapping[str, tuple[Way, ...]] = {
    "slack": (
        Way("http", "HTTP", "Slack calls this server at its public address.", "SLACK_SIGNING_SECRET", True),
        Way("socket", "Socket Mode", "This server calls Slack; no public address is needed.", "SLACK_APP_TOKEN", False),
    )
}


def way_of(channel: str, settings: Settings, asked: str, public: bool) -> Way | None:
    """The way that was asked for, else the one that is set up, else what this server's address allows."""
    ways = WAYS.get(channel, ())
    wanted = (
        *(each for each in ways if each.name == asked),
        *(each for each in ways if settings[each.own]),
        *(each for each in ways if each.public == public),
    )
    return next(iter(wanted), None)


@dataclass(frozen=True, slots=True)
class Aids:
    """`slack_http` is "" where Slack cannot call us; then `slack_why` says why."""

    slack_http: str
    slack_why: str
    slack_socket: str
    slack_request_url: str
    teams_endpoint: str
    teams_flaws: tuple[str, ...]
    teams_places: tuple[Place, ...]


async def aids_of(settings: Settings, store: Store) -> Aids:
    base = settings.base_url
    http, why = _slack_link(SlackApp(base))
    socket, _ = _slack_link(SlackApp(socket_mode=True))
    return Aids(
        slack_http=http,
        slack_why=why,
        slack_socket=socket,
        slack_request_url=f"{base}/slack/events",
        teams_endpoint=f"{base}/api/messages",
        teams_flaws=tuple(str(flaw) for flaw in TeamsApp.of(settings).flaws()),
        teams_places=tuple(await store.read(_places)),
    )


def _slack_link(app: SlackApp) -> tuple[str, str]:
    """The link, or why there is none."""
    try:
        return creation_link(slack_manifest(app)), ""
    except Unreachable as wrong:
        return "", f"BASE_URL {wrong}."


async def _places(tx: Tx) -> Sequence[Place]:
    rows = await tx.rows(
        "SELECT key, value, at FROM channel_memory WHERE key >= :start AND key < :end ORDER BY at DESC LIMIT 200",
        {"start": _PLACES, "end": _PLACES + "\U0010ffff"},
    )
    return [_place(json.loads(row["value"]), row["at"]) for row in rows if json.loads(row["value"])]


def _place(value: Mapping[str, object], at: float) -> Place:
    kind = str(value.get("kind", ""))
    return Place(
        str(value.get("id", "")), _KINDS.get(kind, kind), not (value.get("removed") or value.get("refused")), at
    )
