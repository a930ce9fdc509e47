"""Whatever people click, in whatever order: at most one ruling, and none after an end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from interactions.card import Status
from interactions.desk import Settled, approvals_of, expire, give_up, settle, withdraw
from interactions.model import Actor, Interaction, Question, ReasonRule, Requester
from tests.interactions.scene import ANA, BEN, BLOCKED, CLEO, EVA, PICK, REMOVED_ANA, VIEWING_ANA, WRITE, after, asked

PEOPLE = (ANA, BEN, EVA, CLEO, VIEWING_ANA, REMOVED_ANA, None)
CHOICES = ("approve", "keep_blocked", "execute", "cancel", "acme", "other", "nonsense")


@dataclass(frozen=True)
class Click:
    who: Actor | None
    choice: str
    reason: str
    minute: int


@dataclass(frozen=True)
class End:
    how: Callable[[Interaction, datetime], Interaction | None]
    minute: int


minutes = st.integers(0, 90)
clicks = st.builds(Click, st.sampled_from(PEOPLE), st.sampled_from(CHOICES), st.text(max_size=5), minutes)
ends = st.builds(End, st.sampled_from((expire, withdraw, give_up)), minutes)
happenings = st.lists(st.one_of(clicks, clicks, ends), max_size=12)
questions = st.sampled_from((BLOCKED, WRITE, PICK))
interactions = st.builds(
    lambda question, approvals, reason, email: asked(
        question, approvals=approvals, reason=reason, requester=Requester(email=email)
    ),
    questions,
    st.integers(1, 3),
    st.sampled_from(ReasonRule),
    st.sampled_from(("", ANA.email, CLEO.email)),
)


def play(interaction: Interaction, happening: Click | End) -> Interaction:
    at = after(happening.minute)
    if isinstance(happening, End):
        return happening.how(interaction, at) or interaction
    inputs = {"reason": happening.reason, "other": happening.reason}
    result = settle(interaction, happening.choice, inputs, happening.who, "chat", at)
    return result.interaction if isinstance(result, Settled) else interaction


@given(interactions, happenings)
def test_nothing_changes_after_an_end(interaction: Interaction, happens: list[Click | End]) -> None:
    for happening in happens:
        before, interaction = interaction, play(interaction, happening)
        if before.status is not Status.PENDING:
            assert interaction == before


@given(interactions, happenings)
def test_a_ruling_stands_if_and_only_if_it_is_decided(interaction: Interaction, happens: list[Click | End]) -> None:
    for happening in happens:
        interaction = play(interaction, happening)
        assert (interaction.ruling is not None) is (interaction.status is Status.DECIDED)


@given(interactions, happenings)
def test_an_approval_has_as_many_people_behind_it_as_were_wanted(
    interaction: Interaction, happens: list[Click | End]
) -> None:
    for happening in happens:
        interaction = play(interaction, happening)
    if interaction.ruling and interaction.ruling.approved:
        assert len({vote.operator for vote in approvals_of(interaction)}) == interaction.approvals


@given(interactions, happenings)
def test_only_people_who_were_asked_and_may_decide_have_votes(
    interaction: Interaction, happens: list[Click | End]
) -> None:
    clicked = set()
    for happening in happens:
        interaction = play(interaction, happening)
        if isinstance(happening, Click) and happening.who in (ANA, BEN, EVA):
            clicked.add(happening.who.id)
    assert {vote.operator for vote in interaction.votes} <= clicked


@given(interactions, happenings)
def test_a_requester_never_stands_among_the_approvers(interaction: Interaction, happens: list[Click | End]) -> None:
    for happening in happens:
        interaction = play(interaction, happening)
    if interaction.requester.email == ANA.email:
        assert ANA.id not in {vote.operator for vote in approvals_of(interaction)}


@given(interactions, happenings, st.sampled_from((expire, withdraw, give_up)))
def test_an_end_without_an_answer_never_approves(
    interaction: Interaction, happens: list[Click | End], end: Callable[[Interaction, datetime], Interaction | None]
) -> None:
    for happening in happens:
        interaction = play(interaction, happening)
    ended = end(interaction, after(120))
    assert ended is None or ended.ruling is None


def test_the_questions_are_what_the_registry_knows() -> None:
    kinds: set[type[Question]] = {type(question) for question in (BLOCKED, WRITE, PICK)}
    from interactions.registry import KINDS

    assert kinds == set(KINDS)
