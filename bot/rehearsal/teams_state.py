"""What a Teams tenant knows: people, conversations, and what lies in them."""

import itertools
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.rehearsal.platform import Json
from bot.rehearsal.teams_card import CardButton, buttons_of, card_links, card_words, links_in, shown
from bot.rehearsal.teams_login import TeamsApp
from bot.rehearsal.teams_rules import CARD


class Scope(StrEnum):
    PERSONAL = "personal"
    GROUP = "groupChat"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class TeamsPerson:
    id: str
    name: str
    email: str
    aad_object_id: str


@dataclass(slots=True, eq=False)
class Posted:
    """One activity as it lies in a conversation now; `own` holds the cards that only one person sees in its place."""

    id: str
    activity: Json
    by_bot: bool
    edited: int = 0
    own: dict[str, Json] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return str(self.activity.get("text") or "")

    @property
    def card(self) -> Json | None:
        return next((each["content"] for each in self.activity.get("attachments") or [] if _is_card(each)), None)

    def card_for(self, person: TeamsPerson | None) -> Json | None:
        return self.own.get(person.id, self.card) if person else self.card

    def buttons(self, person: TeamsPerson | None = None) -> list[CardButton]:
        card = self.card_for(person)
        return buttons_of(card) if card else []

    def links(self) -> list[str]:
        return [*links_in(self.text), *(card_links(self.card) if self.card else [])]

    def shown_text(self, person: TeamsPerson | None = None) -> str:
        card = self.card_for(person)
        return "\n".join(words for words in (shown(self.text), card_words(card) if card else "") if words)


def _is_card(attachment: Json) -> bool:
    return attachment.get("contentType") == CARD


@dataclass(slots=True, eq=False)
class Thread:
    """A conversation: a personal chat, a group chat or a channel of a team."""

    id: str
    scope: Scope
    name: str
    members: list[TeamsPerson]
    team: str = ""
    team_id: str = ""
    aad_group_id: str = ""
    installed: bool = False
    blocked: bool = False
    deleted: bool = False
    posts: list[Posted] = field(default_factory=list)
    typing: list[float] = field(default_factory=list)

    def post(self, activity_id: str) -> Posted | None:
        return next((each for each in reversed(self.posts) if each.id == activity_id), None)


class TeamsState:
    def __init__(self, app: TeamsApp, clock: Callable[[], float]) -> None:
        self.app = app
        self.clock = clock
        self.service_url = ""
        self.people: dict[str, TeamsPerson] = {}
        self.threads: dict[str, Thread] = {}
        self._serial = itertools.count(1)

    def add_person(self, name: str, email: str, aad_object_id: str | None) -> TeamsPerson:
        person = TeamsPerson(f"29:1{secrets.token_urlsafe(36)}", name, email, aad_object_id or str(uuid.uuid4()))
        self.people[person.id] = person
        self._add(Thread(f"a:1{secrets.token_urlsafe(60)}", Scope.PERSONAL, name, [person]))
        return person

    def give_address(self, who: str | TeamsPerson, email: str) -> TeamsPerson:
        """The tenant's administrators gave somebody another address."""
        before = self.person(who)
        person = self.people[before.id] = replace(before, email=email)
        for thread in self.threads.values():
            thread.members = [person if each == before else each for each in thread.members]
        return person

    def add_group(self, name: str, members: list[TeamsPerson]) -> Thread:
        return self._add(Thread(f"19:{secrets.token_hex(16)}@thread.v2", Scope.GROUP, name, members))

    def add_channel(self, name: str, team: str, members: list[TeamsPerson]) -> Thread:
        sibling = next((each for each in self.threads.values() if each.team == team), None)
        thread = Thread(f"19:{secrets.token_hex(16)}@thread.tacv2", Scope.CHANNEL, name, members, team)
        thread.team_id = sibling.team_id if sibling else f"19:{secrets.token_urlsafe(30)}@thread.tacv2"
        thread.aad_group_id = sibling.aad_group_id if sibling else str(uuid.uuid4())
        return self._add(thread)

    def _add(self, thread: Thread) -> Thread:
        self.threads[thread.id] = thread
        return thread

    def person(self, who: str | TeamsPerson) -> TeamsPerson:
        """By Teams id, Entra object id or e-mail."""
        if isinstance(who, TeamsPerson):
            return who
        for person in self.people.values():
            if who.casefold() in {person.id.casefold(), person.aad_object_id.casefold(), person.email.casefold()}:
                return person
        raise LookupError(f"nobody here is called {who}")

    def personal(self, person: TeamsPerson) -> Thread:
        threads = self.threads.values()
        return next(each for each in threads if each.scope is Scope.PERSONAL and each.members == [person])

    def named(self, name: str, scope: Scope) -> Thread:
        for thread in self.threads.values():
            if thread.scope is scope and name in {thread.name, f"{thread.team}/{thread.name}", thread.id}:
                return thread
        raise LookupError(f"no {scope} is called {name}")

    def can_reach(self, person: TeamsPerson) -> bool:
        """Installed for the person, or in a team or chat where the person is a member."""
        installed = [thread for thread in self.threads.values() if thread.installed]
        return any(person in (self.team(each.team_id) or each).members for each in installed)

    def team(self, team_id: str) -> Thread | None:
        """The conversation that bears the team's id, with the people of all its channels."""
        channels = [each for each in self.threads.values() if team_id and each.team_id == team_id]
        if not channels:
            return None
        people = list(dict.fromkeys(person for channel in channels for person in channel.members))
        installed = any(channel.installed and not channel.deleted for channel in channels)
        return Thread(team_id, Scope.CHANNEL, "General", people, channels[0].team, team_id, installed=installed)

    def new_activity_id(self) -> str:
        return str(int(self.clock() * 1000) + next(self._serial))
