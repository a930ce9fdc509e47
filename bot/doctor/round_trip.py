"""A round trip: a question to one person on one channel, and which hop failed, read from what was written down."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.channels.contract import Channel, IsCalled
from bot.channels.way_in import Doubt, Heard, heard
from bot.dispatch.dispatcher import Dispatcher
from bot.dispatch.notice import Ask, Audience, Unknown
from bot.memory import ChannelMemory
from bot.store import Row, Store, Tx
from interactions.kinds.clarification import Clarification, Option
from interactions.model import payload_of

LIVES = 900.0  # seconds
IMPATIENT = 10.0  # seconds after which it is said what is missing
QUESTION = Clarification(
    question="This is a test. Press a button: then the way to you and back works.",
    choices=(Option(id="works", label="It works"), Option(id="also", label="This one too")),
    agent="Gatebell",
)
SILENT = "Open the link in the message. If it does not open, correct BASE_URL."
NOTHING_CAME = "You pressed a button, and nothing came in."
_LAST = "round_trip:last"
_ENDED_UNANSWERED = frozenset({"expired", "withdrawn"})
_IDENTITY = frozenset({"not_asked", "role", "own_request"})
_PERSONAL = frozenset({"a request from another workspace", "a request from another app", "another tenant"})
_DECIDING = frozenset({"ended", "expired", "unknown_choice", "input", "voted", "changed"})
_PAST_THE_EDGE = _IDENTITY | _PERSONAL | _DECIDING | {"token"}


class State(StrEnum):
    DONE = "done"
    WAITING = "waiting"
    UNPRESSED = "not pressed"
    FAILED = "failed"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way; `words` say what happened or is missing, `mend` what to do about it."""

    name: str
    state: State
    words: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Trip:
    """How far a question has come."""

    id: str
    channel: str
    began: float
    hops: tuple[Hop, ...]
    over: bool

    @property
    def failed(self) -> Hop | None:
        return next((hop for hop in self.hops if hop.state is State.FAILED), None)

    @property
    def unpressed(self) -> Hop | None:
        """Where nobody pressed a button in time, which says nothing about the way."""
        return next((hop for hop in self.hops if hop.state is State.UNPRESSED), None)

    @property
    def done(self) -> bool:
        return all(hop.state is State.DONE for hop in self.hops)


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything that was written down about one question."""

    question: Row
    delivery: Row
    attempts: Sequence[Row]
    audit: Sequence[Row]
    heard: Heard
    at: datetime

    @property
    def age(self) -> float:
        return self.at.timestamp() - float(self.question["created_at"])

    @property
    def refusals(self) -> list[str]:
        return [str(json.loads(row["detail"]).get("why", "")) for row in self.audit if row["action"] == "click.refused"]

    @property
    def doubt(self) -> Doubt | None:
        """What was wrong with the calls that came in since, if none was taken after them."""
        since = self.heard.doubted_at > float(self.question["created_at"])
        return self.heard.doubt if since and self.heard.in_doubt else None

    @property
    def decided(self) -> bool:
        return bool(self.question["status"] == "decided")


async def begin(dispatcher: Dispatcher, store: Store, operator: str, channel: str, at: datetime) -> str:
    """Ask this person on this channel alone; the question's id. Raises Fault where nobody can be asked."""
    ask = Ask(QUESTION, Audience((operator,), channel=channel), expires_in=LIVES)
    trip = (await dispatcher.ask(ask)).view.id
    await ChannelMemory(store, lambda: at, channel).put(_LAST, trip)
    return trip


async def end(dispatcher: Dispatcher, question_id: str, because: str, by: str) -> None:
    """Take the card back: whoever saw nothing happen need not wait until its time is over. Raises Unknown, Conflict."""
    await dispatcher.withdraw(question_id, because, by=by)


async def last(memory: ChannelMemory) -> str:
    """The question of the last round trip on the channel whose memory this is; "" where there was none."""
    found = await memory.get(_LAST)
    return found if isinstance(found, str) else ""


async def follow(store: Store, channels: Mapping[str, Channel], question_id: str, at: datetime) -> Trip:
    """How far it has come by now. Raises Unknown."""
    found = await store.read(lambda tx: _question(tx, question_id))
    if found is None:
        raise Unknown("there is no such round trip", "id")
    came = await heard(ChannelMemory(store, lambda: at, found[1]["channel"]))
    traces = await store.read(lambda tx: _traces(tx, *found, came, at))
    hops = _in_order(_hops(traces, _silence(traces, channels.get(found[1]["channel"]))))
    over = traces.question["status"] != "pending" and (hops[-1].state is State.DONE or traces.age > LIVES)
    failed = any(hop.state in {State.FAILED, State.UNPRESSED} for hop in hops)
    return Trip(
        question_id, str(traces.delivery["channel"]), float(traces.question["created_at"]), hops, over or failed
    )


def when_silent(channel: Channel | None) -> str:
    """What to do where no click comes in."""
    return channel.when_silent() if isinstance(channel, IsCalled) else SILENT


async def _question(tx: Tx, question_id: str) -> tuple[Row, Row] | None:
    """The question, and the copy of the person who was asked."""
    question = await tx.row("SELECT * FROM interaction WHERE id = :id", {"id": question_id})
    if question is None or json.loads(question["payload"]) != payload_of(QUESTION):
        return None
    delivery = await tx.row(
        "SELECT * FROM delivery WHERE ref = :ref AND reader_kind = 'operator' ORDER BY id", {"ref": question["ref"]}
    )
    return (question, delivery) if delivery else None


async def _traces(tx: Tx, question: Row, delivery: Row, came: Heard, at: datetime) -> Traces:
    attempts = await tx.rows("SELECT * FROM attempt WHERE delivery_id = :id ORDER BY at, id", {"id": delivery["id"]})
    audit = await tx.rows(
        "SELECT * FROM audit WHERE at >= :since AND (subject = :id OR (action = 'click.refused' AND subject = ''"
        " AND place IN (:channel, 'link'))) ORDER BY seq",
        {"since": question["created_at"], "id": question["id"], "channel": delivery["channel"]},
    )
    return Traces(question, delivery, attempts, audit, came, at)


# ---- the hops ---------------------------------------------------------------------------------------------------


def _hops(traces: Traces, silent: str) -> tuple[Hop, ...]:
    return (
        _sent(traces),
        _delivered(traces),
        _clicked(traces, silent),
        _signature(traces),
        _token(traces),
        _identity(traces),
        _decision(traces),
        _update(traces),
    )


def _in_order(hops: Sequence[Hop]) -> tuple[Hop, ...]:
    """What lies behind the first hop that is not done has not happened yet."""
    stop = next((place for place, hop in enumerate(hops) if hop.state is not State.DONE), len(hops))
    return tuple(hop if place <= stop else Hop(hop.name, State.NOT_YET) for place, hop in enumerate(hops))


def _sent(traces: Traces) -> Hop:
    if traces.attempts:
        return Hop("Sent", State.DONE, "The card was handed to the platform.")
    if traces.age < IMPATIENT:
        return Hop("Sent", State.WAITING, "The card waits for a worker.")
    mend = "Is gatebell serve running on this database? The logs say what holds it up."
    return Hop("Sent", State.FAILED, "Nothing has taken the card up.", mend)


def _delivered(traces: Traces) -> Hop:
    taken = next((row for row in traces.attempts if not row["reason"]), None)
    if taken:
        return Hop("Delivered", State.DONE, f"The platform took it after {taken['took_ms']:.0f} ms.")
    refused = traces.attempts[-1] if traces.attempts else {}
    words = f"The platform refused it: {refused.get('detail') or refused.get('reason') or 'no answer yet'}"
    return Hop("Delivered", State.FAILED, words, mend_of(str(refused.get("reason", ""))))


def _clicked(traces: Traces, silent: str) -> Hop:
    if traces.decided or traces.refusals or traces.doubt:
        return Hop("Clicked", State.DONE, "An answer came in.")
    if traces.question["ended_because"] == NOTHING_CAME:
        return Hop("Clicked", State.FAILED, NOTHING_CAME, silent)
    if traces.question["status"] in _ENDED_UNANSWERED:
        mend = f"Make another round trip, and press a button. Did you, and nothing came in? {silent}"
        return Hop("Clicked", State.UNPRESSED, "Nobody pressed a button in time.", mend)
    mend = f"Press a button on the card. Did you, and nothing happens here? {silent}"
    return Hop("Clicked", State.WAITING, "Waiting for you to press a button on the card.", mend)


def _silence(traces: Traces, channel: Channel | None) -> str:
    """What to look at where somebody pressed a button and nothing came in."""
    mend, is_called = when_silent(channel), isinstance(channel, IsCalled)
    if not is_called:
        return mend
    if traces.heard.called_at:
        return f"The platform's other calls do come in, so only the clicks go elsewhere. {mend}"
    return f"Then the platform could not call us. {mend}"


def _signature(traces: Traces) -> Hop:
    """What the edge itself refused, before it looked at who pressed what."""
    wrong = [why for why in traces.refusals if why not in _PAST_THE_EDGE]
    if traces.doubt and not traces.decided:
        words = f"An answer came in and was refused: {traces.doubt.words}."
        return Hop("Signature", State.FAILED, words, traces.doubt.mend)
    if traces.decided or not wrong:
        return Hop("Signature", State.DONE, "It was the platform that called.")
    mend = (
        "Copy the secret by which the platform proves itself again: in Slack, Basic Information → Signing Secret; in"
        " Teams, the app id and the tenant. A clock that is minutes off refuses everything too."
    )
    return Hop("Signature", State.FAILED, f"An answer came in and was refused: {wrong[-1]}.", mend)


def _token(traces: Traces) -> Hop:
    if traces.decided or "token" not in traces.refusals:
        return Hop("Token", State.DONE, "The button belongs to a request of ours.")
    mend = "Was SECRET_KEY changed, or does another installation use the same app? Its buttons come here too."
    return Hop("Token", State.FAILED, "The button belongs to no request here.", mend)


def _identity(traces: Traces) -> Hop:
    wrong = [why for why in traces.refusals if why in _IDENTITY | _PERSONAL]
    if traces.decided or not wrong:
        return Hop("Identity", State.DONE, "The person was recognised.")
    mend = "Link this account to the operator under General → Operators; the app needs the right to read addresses."
    return Hop("Identity", State.FAILED, f"Whoever answered was not recognised as the one asked ({wrong[-1]}).", mend)


def _decision(traces: Traces) -> Hop:
    if traces.decided:
        return Hop("Decision", State.DONE, "The answer stands.")
    because = traces.refusals[-1] if traces.refusals else str(traces.question["status"])
    return Hop("Decision", State.FAILED, f"The answer did not count: {because}.", "Begin another round trip.")


def _update(traces: Traces) -> Hop:
    delivery = traces.delivery
    if delivery["shown"] >= delivery["wanted"]:
        return Hop("Update", State.DONE, "The card shows what was answered.")
    refused = next((row for row in reversed(traces.attempts) if row["reason"]), None)
    if refused is None or traces.age < IMPATIENT:
        return Hop("Update", State.WAITING, "The card is being brought up to date.")
    words = f"The card could not be brought up to date: {refused['detail'] or refused['reason']}"
    return Hop("Update", State.FAILED, words, mend_of(str(refused["reason"])))


_MENDS: Mapping[str, str] = {
    "not_set_up": "Fill in what is missing on the channel's card under General → Notifications.",
    "no_address": "The platform does not know you by your e-mail address: link your account under General → Operators.",
    "refused": "Open the conversation with the bot: is it blocked, removed or archived there?",
    "gone": "The message was removed. Begin again.",
    "too_large": "There is no room for it: make it shorter, or make room in a mailbox that is full.",
    "invalid": "The platform calls the message malformed. Please report this with the answer above.",
    "unauthorized": "Copy the channel's token or secret again; look for a missing right, then install the app again.",
    "rate_limited": "Wait a minute; it is tried again by itself.",
    "unavailable": "Look at the address and the port, and let this server reach them. It is tried again by itself.",
    "timed_out": "Look at the address and at the firewall between. It is tried again by itself.",
    "unclear": "It may have arrived. Look for it before you send again.",
}


def mend_of(reason: str) -> str:
    """What somebody can do about an attempt that was refused for this reason."""
    return _MENDS.get(reason, "")
