"""What has happened since the demo was opened: scenarios that were started, what their agents said, the time line."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.rehearsal.platform import Json

KEPT = 12  # runs that are remembered
BETWEEN = "Chat and switches"


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence. `kind` is how it looks.

    In the agent's log: ask, ok, wait, press, ran, stop, fail.
    On the time line: ok, next, press, update, turned, server, fail.
    """

    id: int
    at: float
    kind: str
    channel: str
    text: str
    detail: str = ""
    times: int = 1

    def shown(self) -> Json:
        return {
            "id": self.id,
            "at": self.at,
            "kind": self.kind,
            "channel": self.channel,
            "text": self.text,
            "detail": f"{self.detail} · {self.times} times" if self.times > 1 else self.detail,
        }


@dataclass(slots=True, eq=False)
class Run:
    """One press of a scenario's button, or what was done between two of them, which has no scenario.

    `question` is the interaction as the API last showed it.

    `mark` is a word that stands in everything that people are shown because of it.
    """

    id: int
    scenario: str
    title: str
    at: float
    mark: str = ""
    question_id: str = ""
    question: Json = field(default_factory=dict)
    said: list[Line] = field(default_factory=list)
    seen: list[Line] = field(default_factory=list)
    over: bool = False

    def shown(self) -> Json:
        return {
            "id": self.id,
            "scenario": self.scenario,
            "title": self.title,
            "at": self.at,
            "over": self.over,
            "status": self.question.get("status", ""),
            "decision": self.question.get("decision"),
            "copies": [copy for copy in self.question.get("deliveries", []) if copy.get("channel") != "callback"],
            "said": [line.shown() for line in self.said],
            "seen": [line.shown() for line in sorted(self.seen, key=lambda line: line.at)],
        }


class Runs:
    """Run 0 holds what happens before the first button is pressed."""

    def __init__(self, clock: Callable[[], float], changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._lines = itertools.count(1)
        self._numbers = itertools.count(1)
        self.all = [Run(0, "", BETWEEN, clock())]
        self._of_thing: dict[str, Run] = {}

    def begin(self, scenario: str, title: str) -> Run:
        run = Run(next(self._numbers), scenario, title, self._clock())
        self.all = [*self.all[-(KEPT - 1) :], run]
        return run

    def say(self, run: Run, kind: str, text: str, detail: str = "") -> None:
        """In the agent's log."""
        run.said.append(Line(next(self._lines), self._clock(), kind, "agent", text, detail))
        self._changed()

    def see(
        self,
        kind: str,
        channel: str,
        text: str,
        detail: str = "",
        *,
        at: float | None = None,
        thing: str = "",
        words: str = "",
        stray: bool = False,
    ) -> None:
        """On the time line of the run that brought the thing up (a message, a mail), or whose mark is in the words.

        What is `stray` is of no scenario unless one of the two says so.
        """
        run = self._of_thing.get(f"{channel}:{thing}") or self._marked(words) or self._nearest(stray)
        if thing:
            self._of_thing[f"{channel}:{thing}"] = run
        moment = self._clock() if at is None else at
        line = Line(next(self._lines), moment, kind, channel, text, detail)
        place = next((place for place, each in enumerate(run.seen) if _repeats(line, each)), None)
        if place is None:
            run.seen.append(line)
        elif kind == "fail":
            run.seen[place] = replace(run.seen[place], times=run.seen[place].times + 1)
        self._changed()

    def own(self, run: Run, channel: str, thing: str) -> None:
        """From now on what is seen of this thing belongs to that run."""
        self._of_thing[f"{channel}:{thing}"] = run

    def _marked(self, words: str) -> Run | None:
        """The latest run whose mark is there."""
        return next((run for run in reversed(self.all) if run.mark and run.mark in words), None)

    def _nearest(self, stray: bool) -> Run:
        """The latest scenario, or what was done since."""
        if not stray:
            return next((run for run in reversed(self.all) if run.scenario), self.all[-1])
        return self.all[-1] if not self.all[-1].scenario else self.begin("", BETWEEN)

    def keep(self, run: Run, question: Any) -> None:
        if isinstance(question, dict) and question != run.question:
            run.question = question
            self._changed()


def span(milliseconds: float) -> str:
    """How long something took, as a person says it."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "under 1 ms"


def _repeats(line: Line, other: Line) -> bool:
    """What is tried again at once stays one line, and so does a card that is updated for one, then for all."""
    return (line.channel, line.kind, line.text) == (other.channel, other.kind, other.text) and line.at - other.at < 2.0
