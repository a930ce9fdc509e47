"""What each type of event becomes: who is told what, in words that say what to do."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from markdown_it import MarkdownIt
from pydantic import JsonValue, ValidationError

from bot.dispatch.notice import Audience, Event, Notice, Phase
from bot.events.registry import ANY, CLASSES, class_of, notice_of
from interactions.card import Card, Severity
from interactions.kinds.blocked_action import BlockedAction
from interactions.model import ReasonRule, Requester

AT = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)
EARLIER = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EXPIRED = Event(
    "oauth.refresh_failed",
    "Drive stopped",
    Severity.HIGH,
    source="gateway-1",
    context={"service": "Google Drive", "user": "cleo@example.com", "error": "invalid_grant: token revoked"},
)
BLOCKED = Event(
    "destructive_action.blocked",
    "Deletion stopped",
    context={
        "agent": "Cleaner",
        "tool": "drive.delete",
        "user": "ana@example.com",
        "policy": "no-delete",
        "arguments": {"path": " /reports"},
    },
)
CROSSED = Event(
    "throughput.threshold",
    "Too many calls",
    context={"user": "ana@example.com", "tool": "crm.read", "window": "24h", "count": 12345, "limit": 10000},
)
EXAMPLES = (
    EXPIRED,
    Event("connection.broken", "Jira is away", context={"connection": "Jira", "error": "connection refused"}),
    Event("policy.blocked", "Stopped", context={"policy": "no-export", "agent": "Cleaner", "tool": "crm.export"}),
    BLOCKED,
    Event("pii.redaction_warning", "Taken out", context={"tool": "crm.read", "count": 3, "kinds": ["IBAN"]}),
    Event("audit.anomaly", "Odd", context={"finding": "a login at 3 a.m.", "user": "ana@example.com"}),
    CROSSED,
    Event("disk.full", "The disk is full", context={"free": "0 bytes"}),
)
every_class = pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)


def card(event: Event) -> Card:
    return notice_of(event, AT).card


def facts(event: Event) -> dict[str, str]:
    return dict(card(event).facts)


def with_context(event: Event, **more: JsonValue) -> Event:
    return replace(event, context={**event.context, **more})


def spoken(markdown: str) -> str:
    """What a reader sees of it."""
    tokens = MarkdownIt("commonmark").enable("strikethrough").parse(markdown)
    return " ".join(leaf.content for token in tokens for leaf in token.children or [] if leaf.content)


# ---- what each one says ------------------------------------------------


@pytest.mark.parametrize("word", ["Google Drive", "cleo@example.com", "invalid_grant: token revoked"])
def test_a_failed_refresh_names_service_user_and_error(word: str) -> None:
    assert word in spoken(card(EXPIRED).text)


def test_a_failed_refresh_says_what_to_do() -> None:
    assert "Ask cleo@example.com to sign in to Google Drive again." in card(EXPIRED).text


@pytest.mark.parametrize(
    "event, title",
    [
        (EXPIRED, "cleo@example.com is signed out of Google Drive"),
        (EXAMPLES[1], "Jira cannot be reached"),
        (EXAMPLES[2], "Policy no-export blocked crm.export"),
        (BLOCKED, "Cleaner was blocked from drive.delete"),
        (EXAMPLES[4], "Personal data redacted in crm.read"),
        (EXAMPLES[5], "Unusual: a login at 3 a.m."),
        (CROSSED, "ana@example.com called crm.read 12,345 times in 24 hours"),
        (EXAMPLES[7], "The disk is full"),
    ],
)
def test_a_title_says_what_happened_to_whom(event: Event, title: str) -> None:
    assert card(event).title == title


def test_a_crossed_threshold_names_count_window_and_limit() -> None:
    assert "ana@example.com called crm.read 12,345 times within 24 hours; the limit is 10,000." in spoken(
        card(CROSSED).text
    ).replace("  ", " ")


def test_a_crossed_threshold_goes_to_the_room() -> None:
    assert notice_of(CROSSED, AT).audience == Audience(room="")


@pytest.mark.parametrize("event", [event for event in EXAMPLES if event is not CROSSED], ids=lambda event: event.type)
def test_everything_else_goes_to_the_recipient(event: Event) -> None:
    assert notice_of(event, AT).audience.empty


@pytest.mark.parametrize(
    "context, source, name",
    [
        ({"server": "Jira"}, "gw", "Jira"),
        ({"service": "Jira"}, "gw", "Jira"),
        ({}, "gw", "gw"),
        ({"connection": "Jira", "server": "jira-1"}, "gw", "Jira"),
    ],
)
def test_a_broken_connection_has_a_name_somehow(context: dict[str, Any], source: str, name: str) -> None:
    event = Event("connection.broken", "s", source=source, context=context)
    assert card(event).title == f"{name} cannot be reached"


@pytest.mark.parametrize("error", [{"code": 401}, 401, "401"])
def test_an_error_may_come_in_any_form(error: JsonValue) -> None:
    assert "401" in facts(with_context(EXPIRED, error=error))["Error"]


# ---- what all of them share ------------------------------------------------


@every_class
def test_the_severity_is_the_producers(event: Event) -> None:
    assert card(replace(event, severity=Severity.CRITICAL)).severity is Severity.CRITICAL


@every_class
def test_severity_and_server_come_first(event: Event) -> None:
    told = card(replace(event, source="gateway-1", severity=Severity.LOW))
    assert told.facts[:2] == (("Severity", "Low"), ("Server", "gateway-1"))


@every_class
def test_the_producers_own_summary_is_told(event: Event) -> None:
    told = card(event)
    assert event.summary in f"{told.title}\n{told.text}"


def test_a_summary_is_not_told_twice() -> None:
    assert (
        card(replace(EXPIRED, summary="Ask cleo@example.com to sign in to Google Drive again")).text.count("Ask") == 1
    )


@every_class
def test_details_close_the_text(event: Event) -> None:
    assert card(replace(event, details="# Log\n\n- line")).text.split("\n\n")[-2:] == ["# Log", "- line"]


@every_class
def test_further_context_and_labels_are_facts(event: Event) -> None:
    known = facts(replace(with_context(event, workspace="Sales", attempts=3), labels={"region": "eu"}))
    assert (known["workspace"], known["attempts"], known["region"]) == ("Sales", "3", "eu")


@every_class
def test_further_context_is_bounded(event: Event) -> None:
    flood = {f"key {number}": "x" * 10_000 for number in range(1000)}
    told = card(with_context(event, **flood))
    assert sum(len(name) + len(value) for name, value in told.facts) < 8000


def test_what_was_left_out_is_counted() -> None:
    assert facts(with_context(EXPIRED, **{f"k{number}": number for number in range(10)}))["More"] == "2 not shown"


SECRETS = ("access_token", "client_secret", "PASSWORD", "apiKey", "Authorization", "set-cookie", "secret_access_key")


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_named_like_a_secret_is_not_repeated(name: str) -> None:
    assert "hunter2" not in str(card(replace(with_context(EXPIRED, **{name: "hunter2"}), labels={name: "hunter2"})))


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_named_like_a_secret_inside_of_something_is_not_repeated(name: str) -> None:
    headers: JsonValue = {"sent": [{name: "hunter2", "Accept": "application/json"}]}
    told = facts(with_context(EXPIRED, headers=headers))["headers"]
    assert ("hunter2" in told, "application/json" in told) == (False, True)


def test_an_upstream_error_tells_no_secret_that_came_with_it() -> None:
    told = facts(with_context(EXPIRED, error={"error": "invalid_grant", "refresh_token": "hunter2"}))["Error"]
    assert ("hunter2" in told, "invalid_grant" in told) == (False, True)


def test_a_field_of_a_context_cannot_replace_a_part_of_its_model() -> None:
    odd: dict[str, JsonValue] = {"model_config": "x", "model_extra": "y", "__class__": "z", "card": "w"}
    assert facts(with_context(EXPIRED, **odd)).items() >= odd.items()


@pytest.mark.parametrize("occurred_at, shown", [(EARLIER, EARLIER), (None, AT)])
def test_it_happened_when_its_producer_says_and_else_when_it_was_heard_of(
    occurred_at: datetime | None, shown: datetime
) -> None:
    assert card(replace(EXPIRED, occurred_at=occurred_at)).happened_at == shown


@every_class
def test_a_trouble_is_an_alert_and_its_end_is_none(event: Event) -> None:
    assert (card(event).alert, card(replace(event, phase=Phase.RESOLVED)).alert) == (True, False)


@every_class
def test_a_notice_alone_offers_no_choice(event: Event) -> None:
    assert (card(event).choices, notice_of(event, AT).ask) == ((), None)


# ---- once it is over ------------------------------------------------


@every_class
def test_the_end_of_a_trouble_is_calm(event: Event) -> None:
    over = card(replace(event, phase=Phase.RESOLVED, severity=Severity.CRITICAL))
    assert (over.severity, over.title) == (Severity.INFO, f"Resolved: {card(event).title}")


@every_class
def test_the_end_of_a_trouble_asks_for_nothing(event: Event) -> None:
    over = notice_of(replace(with_context(event, ask=True), phase=Phase.RESOLVED), AT)
    assert (over.ask, over.card.choices, "Severity" in dict(over.card.facts)) == (None, (), False)


def test_a_renewed_sign_in_says_that_there_is_nothing_to_do() -> None:
    text = card(replace(EXPIRED, phase=Phase.RESOLVED)).text
    assert text.startswith("The sign-in of cleo@example.com to Google Drive works again. There is nothing to do.")


# ---- a question instead of a card ------------------------------------------------


def asks(**more: JsonValue) -> Notice:
    return notice_of(with_context(BLOCKED, **more), AT)


@pytest.mark.parametrize("wish", [{"ask": True}, {"decision": {}}, {"ask": True, "decision": {"approvals": 2}}])
def test_a_blocked_destruction_becomes_a_question_when_its_producer_asks(wish: dict[str, Any]) -> None:
    ask = asks(**wish).ask
    assert ask is not None
    assert ask.question == BlockedAction(
        agent="Cleaner",
        tool="drive.delete",
        user="ana@example.com",
        policy="no-delete",
        arguments={"path": " /reports"},
        reason="Deletion stopped",
    )


@pytest.mark.parametrize("wish", [{}, {"ask": False}, {"decision": None}])
def test_otherwise_it_is_only_told(wish: dict[str, Any]) -> None:
    assert asks(**wish).ask is None


def test_only_a_blocked_destruction_asks() -> None:
    assert [event.type for event in EXAMPLES if notice_of(with_context(event, ask=True), AT).ask] == [BLOCKED.type]


def test_the_person_behind_the_agent_does_not_approve() -> None:
    ask = asks(ask=True).ask
    assert ask is not None
    assert ask.requester == Requester(email="ana@example.com", agent="Cleaner")


def test_a_decision_says_how_it_is_to_be_made() -> None:
    decision: JsonValue = {
        "operators": ["ben@example.com"],
        "expires_in": 60,
        "approvals": 2,
        "reason": "required_on_denial",
        "callback_url": "https://agent.example/told",
    }
    ask = notice_of(replace(with_context(BLOCKED, decision=decision), producer="key_1"), AT).ask
    assert ask is not None
    assert (ask.audience.operators, ask.expires_in, ask.approvals, ask.reason, ask.callback_url, ask.producer) == (
        ("ben@example.com",),
        60.0,
        2,
        ReasonRule.REQUIRED_ON_DENIAL,
        "https://agent.example/told",
        "key_1",
    )


# ---- what does not fit ------------------------------------------------


@pytest.mark.parametrize(
    "event, change, field",
    [
        (EXPIRED, {"service": None}, "context.service"),
        (EXPIRED, {"user": " \u200b"}, "context.user"),
        (EXPIRED, {"user": 7}, "context.user"),
        (EXPIRED, {"error": ""}, "context.error"),
        (CROSSED, {"window": "7d"}, "context.window"),
        (CROSSED, {"count": -1}, "context.count"),
        (CROSSED, {"limit": "many"}, "context.limit"),
        (BLOCKED, {"agent": ""}, "context.agent"),
        (BLOCKED, {"tool": None}, "context.tool"),
        (BLOCKED, {"arguments": "x" * 262_144}, "context.arguments"),
        (BLOCKED, {"decision": {"approvals": 0}}, "context.decision.approvals"),
        (BLOCKED, {"decision": {"expires_in": 0}}, "context.decision.expires_in"),
        (BLOCKED, {"decision": {"callback_url": "javascript:alert(1)"}}, "context.decision.callback_url"),
        (BLOCKED, {"decision": {"approve": True}}, "context.decision.approve"),
    ],
)
def test_a_wrong_context_names_its_field(event: Event, change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        notice_of(with_context(event, **change), AT)
    assert [".".join(map(str, error["loc"])) for error in caught.value.errors()] == [field]


@pytest.mark.parametrize(
    "type_, missing",
    [
        ("oauth.refresh_failed", {"service", "user", "error"}),
        ("connection.broken", {"connection"}),
        ("policy.blocked", {"policy"}),
        ("destructive_action.blocked", {"agent", "tool"}),
        ("pii.redaction_warning", set()),
        ("audit.anomaly", {"finding"}),
        ("throughput.threshold", {"user", "tool", "window", "count", "limit"}),
        ("disk.full", set()),
    ],
)
def test_an_empty_context_names_everything_that_is_missing(type_: str, missing: set[str]) -> None:
    found: set[str] = set()
    try:
        notice_of(Event(type_, ""), AT)
    except ValidationError as error:
        found = {str(each["loc"][1]) for each in error.errors() if each["loc"][0] == "context"}
    assert found == missing


# ---- words from outside ------------------------------------------------

NASTY = "[Ana](https://evil.example) <!channel> **b** `c` <script> & ![x](y) _i_ ~~s~~"
FIELDS = {
    "oauth.refresh_failed": ("service", "user", "error"),
    "connection.broken": ("connection", "error"),
    "policy.blocked": ("policy", "agent", "tool"),
    "destructive_action.blocked": ("agent", "tool"),
    "pii.redaction_warning": ("tool",),
    "audit.anomaly": ("finding", "user"),
    "throughput.threshold": ("user", "tool"),
    "disk.full": (),
}


@every_class
def test_words_from_outside_are_literal_in_the_text(event: Event) -> None:
    nasty = replace(with_context(event, **dict.fromkeys(FIELDS[event.type], NASTY)), summary=f"Said: {NASTY}")
    tokens = MarkdownIt("commonmark").enable("strikethrough").parse(card(nasty).text)
    kinds = {leaf.type for token in tokens for leaf in token.children or []}
    assert kinds <= {"text", "code_inline", "text_special"}


@every_class
def test_a_title_is_one_visible_line(event: Event) -> None:
    loud = dict.fromkeys(FIELDS[event.type], "a\r\nBcc: b\u202e\x00")
    title = card(replace(with_context(event, **loud), summary="a\r\nBcc: b\u202e\x00")).title
    assert title.isprintable()


@every_class
def test_long_words_are_cut_not_refused(event: Event) -> None:
    long = dict.fromkeys(FIELDS[event.type], "x" * 100_000)
    told = card(replace(with_context(event, **long), summary="y" * 100_000, details="z" * 100_000))
    assert (len(told.title) <= 150, len(told.text) <= 8000) == (True, True)


# ---- the registry ------------------------------------------------


def test_an_unknown_type_is_told_as_it_came() -> None:
    assert (class_of("disk.full"), facts(EXAMPLES[7])["Event"]) == (ANY, "disk.full")


def test_no_type_stands_for_two_classes() -> None:
    types = [each.type for each in (*CLASSES, ANY)]
    assert len(set(types)) == len(types)


@pytest.mark.parametrize("each", [*CLASSES, ANY], ids=lambda each: each.type)
def test_a_class_explains_itself(each: Any) -> None:
    assert (bool(each.title), each.meaning.endswith(".")) == (True, True)


def test_every_class_is_played_here() -> None:
    assert {event.type for event in EXAMPLES} == {each.type for each in CLASSES} | {"disk.full"}
