"""What a channel is given in these tests: plain fakes of the protocols, real sessions, a clock that stands."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import ClientSession
from pydantic import JsonValue

from bot.channels.contract import Answer, Chat, Click, Edge, Person, Review

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEYS = (b"n" * 32, b"o" * 32)


@dataclass
class NobodysDesk:
    refusals: list[str] = field(default_factory=list)

    async def answer(self, click: Click) -> Answer:
        return Answer(False, "nobody is here")

    async def review(self, token: str, person: Person | None) -> Review | Answer:
        return Answer(False, "nobody is here")

    async def refused(self, platform: str, why: str, subject: str = "") -> None:
        self.refusals.append(why)


class SilentTalk:
    async def hear(self, text: str, chat: Chat) -> None:
        return None


@dataclass
class Notebook:
    kept: dict[str, JsonValue] = field(default_factory=dict)

    async def get(self, key: str) -> JsonValue:
        return self.kept.get(key)

    async def put(self, key: str, value: JsonValue) -> None:
        self.kept[key] = value

    async def forget(self, key: str) -> None:
        self.kept.pop(key, None)

    async def all(self, prefix: str) -> Mapping[str, JsonValue]:
        return {key: value for key, value in self.kept.items() if key.startswith(prefix)}


async def _first_time(key: str, seconds: float) -> bool:
    return True


async def _seen_never(key: str) -> bool:
    return False


async def _remembered(name: str, value: str) -> None:
    return None


def _never_spawned(work: Coroutine[None, None, None]) -> None:
    work.close()
    raise AssertionError("these channels do no work beside a request")


def _no_session() -> ClientSession:
    raise AssertionError("this test has no such session")


def edge(
    guarded: ClientSession | None = None,
    *,
    now: Callable[[], datetime] = lambda: NOON,
    secrets: Sequence[bytes] = KEYS,
) -> Edge:
    return Edge(
        http=_no_session,
        guarded=(lambda: guarded) if guarded else _no_session,
        desk=NobodysDesk(),
        talk=SilentTalk(),
        memory=Notebook(),
        now=now,
        once=_first_time,
        seen=_seen_never,
        remember=_remembered,
        spawn=_never_spawned,
        base_url="https://gatebell.example",
        secrets=secrets,
    )
