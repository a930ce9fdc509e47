"""Who decides what, and when: the rules of the desk as tables."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest

from interactions.card import Status
from interactions.desk import (
    Refused,
    Settled,
    Why,
    card_of,
    ended_words,
    expire,
    give_up,
    outcome_of,
    settle,
    withdraw,
)
from interactions.model import Actor, Interaction, Question, ReasonRule, Requester
from tests.interactions.scene import (
    ANA,
    BEN,
    BLOCKED,
    CLEO,
    EVA,
    NOON,
    PICK,
    REMOVED_ANA,
    VIEWING_ANA,
    WRITE,
    after,
    asked,
)


def click(
    interaction: Interaction,
    actor: Actor | None = ANA,
    choice: str = "approve",
    at: datetime = NOON,
    inputs: Mapping[str, str] | None = None,
) -> Settled | Refused:
    return settle(interaction, choice, inputs or {}, actor, "chat", at)


def settled(interaction: Interaction, actor: Actor = ANA, choice: str = "approve", **inputs: str) -> Interaction:
    result = click(interaction, actor, choice, after(2), inputs)
    assert isinstance(result, Settled)
    return result.interaction


def refused(result: Settled | Refused) -> Refused:
    assert isinstance(result, Refused)
    return result


PENDING = asked()
APPROVED = settled(PENDING, BEN)
ENDS = {
    "decided": APPROVED,
    "expired": expire(PENDING, after(60)),
    "withdrawn": withdraw(PENDING, after(5), "no longer needed"),
    "undeliverable": give_up(PENDING, after(5), "no channel took it"),
}


@pytest.mark.parametrize(
    "question, choice, approved, words",
    [
        (BLOCKED, "approve", True, "Approved by Ana"),
        (BLOCKED, "keep_blocked", False, "Kept blocked by Ana"),
        (WRITE, "execute", True, "Execution approved by Ana"),
        (WRITE, "cancel", False, "Cancelled by Ana"),
        (PICK, "acme", None, "Acme, chosen by Ana"),
    ],
)
def test_each_choice_becomes_a_ruling_in_words(
    question: Question, choice: str, approved: bool | None, words: str
) -> None:
    ruling = settled(asked(question), ANA, choice).ruling
    assert ruling is not None
    assert (ruling.choice, ruling.approved, ruling.text) == (choice, approved, words)


@pytest.mark.parametrize(
    "who, when, expected",
    [
        (CLEO, after(1), Why.NOT_ASKED),
        (None, after(1), Why.NOT_ASKED),
        (REMOVED_ANA, after(1), Why.NOT_ASKED),
        (VIEWING_ANA, after(1), Why.ROLE),
        (CLEO, after(61), Why.NOT_ASKED),
        (VIEWING_ANA, after(61), Why.ROLE),
        (ANA, after(60), Why.EXPIRED),
        (ANA, after(600), Why.EXPIRED),
    ],
)
def test_a_click_of_the_wrong_person_or_at_the_wrong_time_is_refused(
    who: Actor | None, when: datetime, expected: Why
) -> None:
    assert refused(click(PENDING, who, at=when)).why is expected


@pytest.mark.parametrize("choice", ["approve", "keep_blocked"])
@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_decided_after_an_end(end: str, choice: str) -> None:
    interaction = ENDS[end]
    assert interaction is not None
    assert refused(click(interaction, ANA, choice)).why is Why.ENDED


@pytest.mark.parametrize(
    "end, words",
    [
        ("decided", "Already decided: Approved by Ben at 12:02 UTC. Your click changed nothing."),
        ("expired", "Expired without an answer at 13:00 UTC. Your click changed nothing."),
        ("withdrawn", "Withdrawn at 12:05 UTC. Your click changed nothing."),
        ("undeliverable", "Nobody could be reached at 12:05 UTC. Your click changed nothing."),
    ],
)
def test_a_late_click_is_told_how_it_ended(end: str, words: str) -> None:
    interaction = ENDS[end]
    assert interaction is not None
    assert ended_words(interaction) == words


def test_an_outsider_is_not_told_how_it_ended() -> None:
    assert refused(click(APPROVED, CLEO)).words == "You were not asked to decide this, so your click changed nothing."


def test_nobody_decides_where_nobody_was_asked() -> None:
    assert refused(click(asked(audience=frozenset()))).why is Why.NOT_ASKED


def test_without_an_expiry_it_waits() -> None:
    assert isinstance(click(asked(expires_at=None), at=after(1e6)), Settled)


@pytest.mark.parametrize("choice", ["", "Approve", "approve ", "execute", "keep-blocked"])
def test_an_unknown_choice_is_refused(choice: str) -> None:
    assert refused(click(PENDING, choice=choice)).why is Why.UNKNOWN_CHOICE


# ---- one's own request ----------------------------------------------------------------------------------------------

OWN = Requester(email=" Ana@Example.COM ", agent="Cleaner")


def test_nobody_approves_their_own_request() -> None:
    assert refused(click(asked(requester=OWN))).why is Why.OWN_REQUEST


def test_an_admin_does_not_approve_their_own_request_either() -> None:
    assert refused(click(asked(requester=Requester(email=EVA.email)), EVA)).why is Why.OWN_REQUEST


@pytest.mark.parametrize(
    "to", ["{}+agent@{}", "{}@{}.", "{}@{}\N{IDEOGRAPHIC FULL STOP}", "{}\N{FULLWIDTH PLUS SIGN}x@{}"]
)
def test_another_spelling_of_the_same_mailbox_is_the_same_person(to: str) -> None:
    requester = Requester(email=to.format(*ANA.email.upper().split("@")))
    assert refused(click(asked(requester=requester))).why is Why.OWN_REQUEST


def test_everybody_may_deny_their_own_request() -> None:
    assert settled(asked(requester=OWN), ANA, "keep_blocked").status is Status.DECIDED


def test_everybody_may_answer_what_their_own_agent_asks() -> None:
    assert settled(asked(PICK, requester=OWN), ANA, "acme").status is Status.DECIDED


def test_a_requester_without_an_address_is_nobody_in_particular() -> None:
    nameless = Actor("op_ana", "Ana", "")
    assert isinstance(click(asked(requester=Requester(agent="Cleaner")), nameless), Settled)


# ---- several approvals ----------------------------------------------------------------------------------------------

TWO = asked(approvals=2)


def test_the_first_of_two_approvals_ends_nothing() -> None:
    assert settled(TWO).status is Status.PENDING


@pytest.mark.parametrize(
    "interaction, progress",
    [
        (PENDING, ""),
        (TWO, "0 of 2 approvals"),
        (settled(TWO), "1 of 2 approvals: Ana"),
        (asked(PICK, approvals=2), ""),
    ],
)
def test_the_card_shows_how_far_it_is(interaction: Interaction, progress: str) -> None:
    assert card_of(interaction).progress == progress


def test_the_second_of_two_approvals_decides_in_the_name_of_both() -> None:
    ruling = settled(settled(TWO), BEN).ruling
    assert ruling is not None
    assert (ruling.approved, ruling.text) == (True, "Approved by Ana, Ben")


def test_nobody_approves_twice() -> None:
    assert refused(click(settled(TWO))).why is Why.VOTED


def test_one_denial_ends_what_needs_two_approvals() -> None:
    denied = settled(settled(TWO), BEN, "keep_blocked")
    assert outcome_of(denied) is not None
    assert (denied.status, denied.ruling and denied.ruling.text) == (Status.DECIDED, "Kept blocked by Ben")


def test_a_half_approved_request_expires_unapproved() -> None:
    expired = expire(settled(TWO), after(60))
    assert expired is not None
    assert (expired.status, expired.ruling) == (Status.EXPIRED, None)


# ---- what is written beside a choice --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule, choice, reason, expected",
    [
        (ReasonRule.NONE, "keep_blocked", "why not", ""),
        (ReasonRule.NONE, "approve", "", ""),
        (ReasonRule.OPTIONAL, "approve", "", ""),
        (ReasonRule.OPTIONAL, "approve", " looks fine ", "looks fine"),
        (ReasonRule.OPTIONAL, "keep_blocked", "too risky", "too risky"),
        (ReasonRule.REQUIRED_ON_DENIAL, "approve", "", ""),
        (ReasonRule.REQUIRED_ON_DENIAL, "keep_blocked", "too risky", "too risky"),
    ],
)
def test_a_reason_is_kept_where_it_was_asked_for(rule: ReasonRule, choice: str, reason: str, expected: str) -> None:
    outcome = outcome_of(settled(asked(reason=rule), ANA, choice, reason=reason))
    assert outcome is not None
    assert outcome.reason == expected


@pytest.mark.parametrize("reason", ["", "   ", "\n\t", "\u200b\u202e", "\ud800"])
def test_a_denial_without_the_required_reason_names_the_field(reason: str) -> None:
    interaction = asked(reason=ReasonRule.REQUIRED_ON_DENIAL)
    missing = refused(click(interaction, choice="keep_blocked", inputs={"reason": reason}))
    assert (missing.why, missing.field) == (Why.INPUT, "reason")


def test_a_picker_has_no_denial_that_needs_a_reason() -> None:
    assert settled(asked(PICK, reason=ReasonRule.REQUIRED_ON_DENIAL), ANA, "acme").status is Status.DECIDED


def test_something_else_has_to_be_said() -> None:
    assert refused(click(asked(PICK), choice="other")).field == "other"


@pytest.mark.parametrize("length, fits", [(2000, True), (2001, False)])
def test_what_is_written_is_bounded(length: int, fits: bool) -> None:
    result = click(asked(PICK), choice="other", inputs={"other": "x" * length})
    assert isinstance(result, Settled) is fits


def test_what_was_not_asked_for_is_not_kept() -> None:
    ruling = settled(asked(PICK), ANA, "acme", other="Apple", extra="1").ruling
    assert ruling is not None
    assert ruling.inputs == {}


def test_a_reason_cannot_hide_or_turn_round_what_it_says() -> None:
    ruling = settled(asked(reason=ReasonRule.OPTIONAL), ANA, "approve", reason="fi\u202ene\x00\ud83d").ruling
    assert ruling is not None
    assert ruling.reason == "fine"


# ---- ends without an answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "interaction, when, expected",
    [
        (PENDING, after(59), None),
        (PENDING, after(60), Status.EXPIRED),
        (PENDING, after(61), Status.EXPIRED),
        (asked(expires_at=None), after(1e6), None),
        (APPROVED, after(61), None),
        (ENDS["withdrawn"], after(61), None),
    ],
)
def test_it_expires_when_its_time_is_over(interaction: Interaction, when: datetime, expected: Status | None) -> None:
    expired = expire(interaction, when)
    assert (expired and expired.status) is expected


@pytest.mark.parametrize("end", ENDS)
def test_what_has_ended_is_neither_withdrawn_nor_given_up(end: str) -> None:
    interaction = ENDS[end]
    assert interaction is not None
    assert (withdraw(interaction, NOON), give_up(interaction, NOON)) == (None, None)


@pytest.mark.parametrize("end", ENDS)
def test_an_ended_card_says_how_it_ended_and_offers_nothing(end: str) -> None:
    interaction = ENDS[end]
    assert interaction is not None
    card = card_of(interaction)
    assert (card.status.value, card.choices, card.inputs) == (end, (), ())


def test_an_ended_card_still_shows_what_was_asked() -> None:
    assert card_of(APPROVED).payload == card_of(PENDING).payload


def test_a_pending_card_says_who_asks_and_until_when() -> None:
    card = card_of(PENDING)
    assert (card.requester, card.expires_at) == ("Cleaner for cleo@example.com", after(60))


def test_the_rules_change_nothing_in_place() -> None:
    before = replace(PENDING)
    click(PENDING)
    assert before == PENDING
