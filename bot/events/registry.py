"""The event classes. A new one is one file beside this one and one line here."""

from datetime import datetime

from bot.dispatch.notice import Event, Notice
from bot.events.audit_anomaly import AuditAnomaly
from bot.events.connection_broken import ConnectionBroken
from bot.events.contract import EventClass
from bot.events.destructive_action_blocked import DestructiveActionBlocked
from bot.events.generic import Generic
from bot.events.oauth_refresh_failed import OAuthRefreshFailed
from bot.events.pii_redaction_warning import PiiRedactionWarning
from bot.events.policy_blocked import PolicyBlocked
from bot.events.throughput_threshold import ThroughputThreshold

CLASSES: tuple[EventClass, ...] = (
    OAuthRefreshFailed(),
    ConnectionBroken(),
    PolicyBlocked(),
    DestructiveActionBlocked(),
    PiiRedactionWarning(),
    AuditAnomaly(),
    ThroughputThreshold(),
)
ANY: EventClass = Generic()

_BY_TYPE = {each.type: each for each in CLASSES}


def class_of(type_: str) -> EventClass:
    return _BY_TYPE.get(type_, ANY)


def notice_of(event: Event, at: datetime | None = None) -> Notice:
    """What the event is worth telling; `at` is when it was heard of, which counts where its producer names no moment.

    Raises pydantic.ValidationError that names `context.<field>`.
    """
    return class_of(event.type).notice(event, at)
