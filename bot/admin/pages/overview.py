"""Overview: what waits for a person, what is broken, what the last day brought, how the worker is doing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.admin import reading, why
from bot.admin.first_run import left_out, offers, tells
from bot.admin.reading import Counts, Queue
from bot.admin.rows import Request
from bot.admin.site import Faces, Page, Shown, Visit, page
from bot.channels.contract import Channel
from bot.store import Tx
from interactions.model import Role

SHOWN = 20
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How one channel of the chain is, with what to do about it. `look` is a class of the style sheet."""

    title: str
    state: str
    look: str
    since: datetime | None = None
    cause: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database says at one moment."""

    waiting: tuple[Request, ...]
    counts: Counts
    queue: Queue
    anything: bool


@page("GET", "/admin")
async def overview(visit: Visit) -> Shown:
    at = visit.faces.clock.now()
    seen = await visit.faces.store.read(lambda tx: _seen(tx, at))
    channels = states(visit.faces)
    me, settings = visit.who.operator.id, visit.faces.settings.now
    return Shown(
        "overview.html",
        {
            "waiting": [(each, me in each.audience) for each in seen.waiting],
            "more": len(seen.waiting) == SHOWN,
            "counts": seen.counts,
            "queue": seen.queue,
            "queue_late": late(seen.queue, at),
            "anything": seen.anything,
            "channels": channels,
            "any_channel": tells(visit.faces),
            "left_out": await left_out(visit.faces) if visit.who.may(Role.ADMIN) else (),
            "address": settings.base_url,
            "alerting": settings.alerting,
            "curl": curl(settings.base_url),
            "waits_for": lambda each: why.span((at - each.created_at).total_seconds()),
        },
    )


async def _seen(tx: Tx, at: datetime) -> Seen:
    return Seen(
        await reading.waiting(tx, SHOWN),
        await reading.counts(tx, at - DAY),
        await reading.queue(tx, at),
        await reading.anything(tx),
    )


def states(faces: Faces) -> list[ChannelState]:
    """The channels of the chain, in its order; then the others that are set up, of which nobody would think."""
    known, chain = offers(faces), faces.settings.now.chain
    others = [_outside(each) for each in known.values() if each.name not in chain and not each.missing()]
    return [*(_state(known[name], faces) for name in chain if name in known), *others]


def _outside(channel: Channel) -> ChannelState:
    mend = "To have people told here, put it into the chain under Notifications."
    return ChannelState(channel.title, "not in the chain", "over", mend=mend)


def _state(channel: Channel, faces: Faces) -> ChannelState:
    missing = channel.missing()
    if missing:
        return ChannelState(channel.title, "not set up", "off", cause=f"Missing: {', '.join(missing)}")
    known = faces.dispatcher.health().get(channel.name)
    condition = "ready" if known is None else str(known.condition)
    if known is None or condition == "ready":
        return ChannelState(channel.title, "ready", "good")
    cause = faces.mask.text(known.detail or why.refusal(known.reason))
    if condition == "broken":
        return ChannelState(channel.title, "broken", "bad", known.since, cause, why.mend(known.reason))
    return ChannelState(channel.title, "not answering well", "over", known.since, cause, "It is tried again by itself.")


def late(queue: Queue, at: datetime) -> str:
    """For how long the oldest due work has been waiting; "" while the worker keeps up."""
    seconds = (at - queue.due_since).total_seconds() if queue.due_since else 0.0
    return why.span(seconds) if seconds >= 60 else ""


def curl(base_url: str) -> str:
    """A first event, to be pasted into a shell."""
    return (
        f"curl {base_url}/api/v1/events \\\n"
        '  -H "Authorization: Bearer $GATEBELL_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        """  -d '{"type": "hello", "severity": "info", "summary": "Hello from my shell"}'"""
    )


PAGES: tuple[Page, ...] = (overview,)
