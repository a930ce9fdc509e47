"""Words for what became of a copy: why somebody was not told, and what happens next. Pure functions."""

from collections.abc import Sequence

from bot.admin.rows import Attempt, Copy, Standing
from bot.channels.contract import Reason
from bot.channels.registry import CHANNELS

REFUSALS = {
    Reason.NOT_SET_UP: "the channel is not set up",
    Reason.NO_ADDRESS: "this person is not known there",
    Reason.REFUSED: "the platform or the person does not take it (blocked, removed, archived, a full mailbox)",
    Reason.GONE: "the message is no longer there",
    Reason.TOO_LARGE: "it is more than the platform takes",
    Reason.INVALID: "the platform could not read what we sent",
    Reason.UNAUTHORIZED: "the platform refuses our credentials",
    Reason.RATE_LIMITED: "the platform asked us to wait",
    Reason.UNAVAILABLE: "the platform could not be reached",
    Reason.TIMED_OUT: "the platform did not answer in time",
    Reason.UNCLEAR: "nobody knows whether it arrived",
}
MENDS = {
    Reason.NOT_SET_UP: "An admin can set it up under Notifications.",
    Reason.NO_ADDRESS: "Link their account under Operators, or let them write to the bot once.",
    Reason.UNAUTHORIZED: "An admin has to renew the channel's credentials under Notifications.",
    Reason.REFUSED: "Ask them to unblock the app, add it again, or empty their mailbox; then send it again.",
}
NO_ROOM = "No room is set. Set SLACK_CHANNEL or SMTP_TO under Notifications, or a room for this threshold."
LEFT_TO_OTHERS = (
    "A server of another version may still send it; in some minutes it goes to the next channel of its chain, or fails."
)
OTHERS = {
    "no_reader": "this person is no longer an operator",
    "invalid": "the stored card cannot be read",
}


def refusal(reason: str) -> str:
    """A stored reason in words; "" where there was none."""
    if reason in set(Reason):
        return REFUSALS[Reason(reason)]
    return OTHERS.get(reason, reason.replace("_", " "))


def mend(reason: str) -> str:
    return MENDS.get(Reason(reason), "") if reason in set(Reason) else ""


def standing(copy: Copy) -> str:
    """Why this reader was told or not told, as a sentence."""
    match copy.standing:
        case Standing.TOLD:
            return "Told; the copy shows how it stands now."
        case Standing.CHANGING:
            late = f" The last try failed: {_because(copy)}." if copy.reason else ""
            return f"Told; the copy is being brought up to date.{late}"
        case Standing.LATER:
            return "Nothing to tell yet: whoever asked is told once, when it has ended."
        case Standing.SENDING:
            return "Not told yet: it is being sent at this moment."
        case Standing.WAITING:
            return f"Not told yet: {_waits(copy)}"
        case Standing.STALE:
            return f"Told, but the copy could not be brought up to date: {_because(copy)}."
        case Standing.TOGETHER:
            return f"Told in one message with others that came at the same time ({copy.detail})."
        case Standing.FAILED:
            return " ".join(filter(None, (f"Not told: {_because(copy)}.", _mend(copy))))


def nobody_told(copies: Sequence[Copy]) -> bool:
    """Whether there was something to tell, and no copy of it ever reached anybody."""
    return bool(copies) and all(copy.standing is Standing.FAILED for copy in copies)


def attempt(attempt: Attempt, title: str) -> str:
    """One try as a sentence about the channel with this title."""
    what = "brought up to date" if attempt.verb == "update" else "sent"
    if not attempt.reason:
        return f"{'Brought up to date' if attempt.verb == 'update' else 'Sent'} on {title}"
    if attempt.reason == Reason.NO_ADDRESS and not attempt.for_room:
        return f"{attempt.reader} is not known on {title}, so it was not {what} there"
    return f"{title}: not {what}, {refusal(attempt.reason)}"


def held_back(reason: str) -> tuple[str, str]:
    """Why an event was told to nobody, and what to do about it, from its stored reason."""
    kind, _, words = reason.partition(": ")
    mends = {
        "cooldown": "This is meant to be so. The cooldown is set under Notifications.",
        "disabled": "An admin can switch it on again under Notifications.",
        "no_reader": "An admin can add operators under Operators.",
        "below_threshold": "An admin can lower it under Threshold settings.",
        "no_channel": "An admin can set up a channel under Notifications.",
    }
    return (words or reason, mends.get(kind, ""))


def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if count > 1 else ''}"
    return "less than a minute"


def _waits(copy: Copy) -> str:
    if _is_gone(copy):
        return f"{_because(copy)}, so it goes to the next one of its chain by itself."
    if copy.reason:
        return f"{_because(copy)}. It is tried again by itself."
    if copy.channel not in CHANNELS:
        return f"{_lacks(copy.channel)}. {LEFT_TO_OTHERS}"
    return "it waits for its turn, so that the channel is not flooded."


def _mend(copy: Copy) -> str:
    """A room is nobody whose account could be linked, and nobody sets up a channel that there is no more."""
    if _is_gone(copy):
        return ""
    homeless = copy.for_room and copy.reason in {Reason.NO_ADDRESS, Reason.NOT_SET_UP}
    return NO_ROOM if homeless else mend(copy.reason)


def _because(copy: Copy) -> str:
    """The reason in words, and what each channel of the chain said in detail."""
    words = refusal(copy.reason)
    if "; " in copy.detail:
        return f"no channel took it ({copy.detail})"
    if _is_gone(copy):
        return _lacks(copy.refuser)
    return f"{words} ({copy.detail})" if copy.detail and copy.detail != words else words


def _is_gone(copy: Copy) -> bool:
    """Whether the reason is a channel that an earlier version had, and this one has not."""
    return copy.reason == Reason.NOT_SET_UP and copy.refuser not in CHANNELS


def _lacks(channel: str) -> str:
    return f"this version has no channel “{channel}”"
