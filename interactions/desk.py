"""Deciding: pure rules of (interaction, click, person, moment). One transaction makes stand what they return."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from unicodedata import normalize

from interactions.card import Card, Choice, Input, Outcome, Status
from interactions.model import Actor, Interaction, ReasonRule, Ruling, Vote
from interactions.text import visible, whole


class Why(StrEnum):
    """Why a click had no effect."""

    ENDED = "ended"
    EXPIRED = "expired"
    NOT_ASKED = "not_asked"
    ROLE = "role"
    OWN_REQUEST = "own_request"
    UNKNOWN_CHOICE = "unknown_choice"
    INPUT = "input"
    VOTED = "voted"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Refused:
    """A click without effect: `words` are said to the person alone."""

    why: Why
    words: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A click that counts: the interaction as it stands from now on; ended or one approval further."""

    interaction: Interaction

    @property
    def ended(self) -> bool:
        return self.interaction.status is not Status.PENDING


def settle(
    interaction: Interaction, choice: str, inputs: Mapping[str, str], actor: Actor | None, channel: str, at: datetime
) -> Settled | Refused:
    """The first decision stands; who may decide is asked now, not when the card was sent."""
    card = card_of(interaction)
    admitted = _admitted(interaction, actor, at)
    if isinstance(admitted, Refused):
        return admitted
    chosen = _chosen(card, choice)
    if isinstance(chosen, Refused):
        return chosen
    if chosen.approves and _is_requester(interaction, admitted):
        return Refused(Why.OWN_REQUEST, "This is your own request, so somebody else has to approve it.")
    written = _written(card, choice, inputs)
    if isinstance(written, Refused):
        return written
    return _voted(interaction, card, chosen, Vote(admitted.id, admitted.name, channel, choice, at, written))


def _voted(interaction: Interaction, card: Card, chosen: Choice, vote: Vote) -> Settled:
    voted = replace(interaction, votes=(*interaction.votes, vote))
    if chosen.approves and len(approvals_of(voted)) < interaction.approvals:
        return Settled(voted)
    approved = chosen.approves if card.asks_approval else None
    names = ", ".join(each.name for each in approvals_of(voted)) if chosen.approves else vote.name
    text = interaction.question.decide(chosen.id, names).text
    ruling = Ruling(chosen.id, text, vote.name, vote.channel, vote.at, approved, vote.inputs)
    return Settled(replace(voted, status=Status.DECIDED, ruling=ruling, ended_at=vote.at))


def expire(interaction: Interaction, at: datetime) -> Interaction | None:
    """The interaction as expired, or None where nothing is to be done. Expiry never approves."""
    if interaction.status is not Status.PENDING or interaction.expires_at is None or at < interaction.expires_at:
        return None
    return replace(interaction, status=Status.EXPIRED, ended_at=at)


def withdraw(interaction: Interaction, at: datetime, because: str = "") -> Interaction | None:
    """The interaction as withdrawn by whoever asked, or None where it has ended already."""
    if interaction.status is not Status.PENDING:
        return None
    return replace(interaction, status=Status.WITHDRAWN, ended_at=at, ended_because=because)


def give_up(interaction: Interaction, at: datetime, because: str = "") -> Interaction | None:
    """The interaction as undeliverable: nobody could be reached."""
    if interaction.status is not Status.PENDING:
        return None
    return replace(interaction, status=Status.UNDELIVERABLE, ended_at=at, ended_because=because)


def approvals_of(interaction: Interaction) -> tuple[Vote, ...]:
    approving = {choice.id for choice in interaction.question.card().choices if choice.approves}
    return tuple(vote for vote in interaction.votes if vote.choice in approving)


def card_of(interaction: Interaction) -> Card:
    """The card as everybody should see it now."""
    card = interaction.question.card()
    card = replace(
        card, requester=interaction.requester.words, expires_at=interaction.expires_at, digest=interaction.digest
    )
    if interaction.status is not Status.PENDING:
        return replace(card, choices=(), inputs=(), outcome=outcome_of(interaction))
    return replace(
        card, inputs=(*card.inputs, *_reason_input(card, interaction.reason)), progress=_progress(card, interaction)
    )


def outcome_of(interaction: Interaction) -> Outcome | None:
    at = interaction.ended_at
    match interaction.status:
        case Status.PENDING:
            return None
        case Status.DECIDED:
            assert interaction.ruling is not None  # only _voted decides, and it rules
            ruling = interaction.ruling
            return Outcome(Status.DECIDED, ruling.text, at, ruling.approved, ruling.reason)
        case Status.EXPIRED:
            return Outcome(Status.EXPIRED, "Expired without an answer", at)
        case Status.WITHDRAWN:
            return Outcome(Status.WITHDRAWN, "Withdrawn", at, reason=interaction.ended_because)
        case Status.UNDELIVERABLE:
            return Outcome(Status.UNDELIVERABLE, "Nobody could be reached", at, reason=interaction.ended_because)


def ended_words(interaction: Interaction) -> str:
    """What a late click is told."""
    outcome = outcome_of(interaction)
    if outcome is None:
        return ""
    when = f" at {outcome.at:%H:%M} UTC" if outcome.at else ""
    already = "Already decided: " if interaction.status is Status.DECIDED else ""
    return f"{already}{outcome.text}{when}. Your click changed nothing."


def bar_to(interaction: Interaction, actor: Actor | None, at: datetime) -> str:
    """Why this person may not decide now, in words; empty where they may."""
    admitted = _admitted(interaction, actor, at)
    return admitted.words if isinstance(admitted, Refused) else ""


def could_approve(interaction: Interaction, actor: Actor) -> bool:
    """Whether an approval by this person would count, as far as that is known before the click."""
    return actor.role.decides and not _is_requester(interaction, actor)


def _admitted(interaction: Interaction, actor: Actor | None, at: datetime) -> Actor | Refused:
    if actor is None or not actor.active or actor.id not in interaction.audience:
        return Refused(Why.NOT_ASKED, "You were not asked to decide this, so your click changed nothing.")
    if not actor.role.decides:
        return Refused(Why.ROLE, "Your role is viewer: you can look, but not decide. An admin can change that.")
    if interaction.status is not Status.PENDING:
        return Refused(Why.ENDED, ended_words(interaction))
    if expire(interaction, at) is not None:
        return Refused(Why.EXPIRED, "This request has expired. Your click changed nothing.")
    if any(vote.operator == actor.id for vote in interaction.votes):
        return Refused(Why.VOTED, "You have already approved this; it waits for somebody else.")
    return actor


def _chosen(card: Card, choice: str) -> Choice | Refused:
    return card.choice(choice) or Refused(Why.UNKNOWN_CHOICE, "This request has no such choice.", "choice")


def _written(card: Card, choice: str, inputs: Mapping[str, str]) -> Mapping[str, str] | Refused:
    """What was written beside the choice; whatever the choice does not ask for is left out."""
    kept: dict[str, str] = {}
    for field in card.inputs_of(choice):
        value = visible(whole(inputs.get(field.id, ""))).strip()
        refused = _unfit(field, value)
        if refused:
            return refused
        if value:
            kept[field.id] = value
    return kept


def _unfit(field: Input, value: str) -> Refused | None:
    if field.required and not value:
        return Refused(Why.INPUT, f"Please fill in “{field.label}”.", field.id)
    if len(value) > field.max_length:
        return Refused(Why.INPUT, f"“{field.label}” takes at most {field.max_length} characters.", field.id)
    return None


def _is_requester(interaction: Interaction, actor: Actor) -> bool:
    email = interaction.requester.email.strip()
    return bool(email) and _mailbox(email) == _mailbox(actor.email)


def _mailbox(address: str) -> str:
    """Where mail to an address ends up: what follows a plus is a label, and letters have look-alikes and sizes."""
    plain = normalize("NFKC", address).replace("\N{IDEOGRAPHIC FULL STOP}", ".").strip().casefold()
    local, _, domain = plain.rpartition("@")
    return f"{local.partition('+')[0]}@{domain.rstrip('.')}"


def _reason_input(card: Card, rule: ReasonRule) -> tuple[Input, ...]:
    denying = tuple(choice.id for choice in card.choices if not choice.approves) if card.asks_approval else ()
    match rule:
        case ReasonRule.NONE:
            return ()
        case ReasonRule.OPTIONAL:
            return (Input("reason", "Reason (optional)"),)
        case ReasonRule.REQUIRED_ON_DENIAL:
            return (Input("reason", "Reason", denying, required=True),) if denying else ()


def _progress(card: Card, interaction: Interaction) -> str:
    if interaction.approvals < 2 or not card.asks_approval:
        return ""
    votes = approvals_of(interaction)
    names = f": {', '.join(vote.name for vote in votes)}" if votes else ""
    return f"{len(votes)} of {interaction.approvals} approvals{names}"
