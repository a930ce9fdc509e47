"""A desk for these tests: real questions, really settled, behind tokens that are plain words."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.channels.contract import Answer, Click, Person, Review
from interactions.desk import Refused, card_of, ended_words, expire, settle
from interactions.model import Actor, Interaction

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANA = Actor("op_ana", "Ana", "ana@example.com")
BEN = Actor("op_ben", "Ben", "ben@example.com")
CLEO = Actor("op_cleo", "Cleo", "cleo@example.com")


@dataclass
class Desk:
    """Each token is one person's; `clicks` and `refusals` are what reached it."""

    interaction: Interaction
    people: dict[str, Actor] = field(default_factory=lambda: {"ana-1": ANA, "ben-1": BEN, "cleo-1": CLEO})
    clicks: list[Click] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    now: datetime = NOON

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        if token not in self.people:
            return Answer(False, "It is not known here, or it is no longer valid. Ask for a new one.")
        self.interaction = expire(self.interaction, self.now) or self.interaction
        who = self.people[token]
        words = self.bar(who)
        return Review(card_of(self.interaction), token, f"{who.name} ({who.email})", not words, words)

    def bar(self, who: Actor) -> str:
        if who.id not in self.interaction.audience:
            return "You were not asked."
        return ended_words(self.interaction)

    async def answer(self, click: Click) -> Answer:
        self.clicks.append(click)
        actor = self.people.get(click.token)
        settled = settle(self.interaction, click.choice, click.inputs, actor, click.person.platform, self.now)
        if isinstance(settled, Refused):
            return Answer(False, settled.words, card_of(self.interaction), settled.field)
        self.interaction = settled.interaction
        return Answer(True, "Your answer counts.", card_of(self.interaction))

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        self.refusals.append(why)

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)
