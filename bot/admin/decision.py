"""The page behind a signed link: GET shows the whole request to its reader, only POST from the page decides."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.admin.web import drawn, error_page, is_fresh, is_same_origin, is_sealed, keep_private, read_form, seal_form
from bot.channels.contract import Answer, Click, Desk, Person, Review
from interactions.card import Card, Choice, Format, Input, Payload
from renderers.inert import one_line, visible

PLATFORM = "link"
_FIELD = "input."
_STALE = "This page was open for a long time. Please look at the request again and give your answer once more."


def routes(
    desk: Desk, *, keys: Sequence[bytes], now: Callable[[], datetime], base_url: Callable[[], str]
) -> list[web.AbstractRouteDef]:
    """`keys` seal the forms, newest first; `base_url` is where people reach us."""
    page = DecisionPage(desk, keys, now, base_url)
    return [web.get("/d/{token}", page.show), web.post("/d/{token}", page.decide)]


@dataclass(frozen=True, slots=True)
class DecisionPage:
    desk: Desk
    keys: Sequence[bytes]
    now: Callable[[], datetime]
    base_url: Callable[[], str]

    async def show(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        match await self.desk.review(token, None):
            case Review() as review:
                return self._page(request, review)
            case Answer() as refused:
                return _no_such_link(request, refused.words)

    async def decide(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        if not is_same_origin(request, self.base_url()):
            return await self._forbid(request, "a form of another site")
        written = await read_form(request)
        seal = written.pop("seal", "")
        if not is_sealed(seal, token, self.keys):
            return await self._forbid(request, "a form that is not ours")
        if not is_fresh(seal, self.now()):
            return await self._again(request, Answer(False, _STALE), written)
        answer = await self.desk.answer(Click(token, written.pop("choice", ""), _reader(token), _inputs(written)))
        if answer.accepted:
            # The path as it came, so that nothing in the form can lead anywhere else.
            raise web.HTTPSeeOther(request.rel_url.with_query(None))
        return await self._again(request, answer, written)

    async def _forbid(self, request: web.Request, why: str) -> web.Response:
        """Written down only for links that exist, so that guessing fills no log. The link itself stays a secret."""
        token = request.match_info["token"]
        if isinstance(await self.desk.review(token, None), Review):
            await self.desk.refused(PLATFORM, why, token.partition(".")[0])
        return error_page(request, 403)

    async def _again(self, request: web.Request, answer: Answer, written: Mapping[str, str]) -> web.Response:
        """The page as it stands now, with the reason why nothing happened."""
        match await self.desk.review(request.match_info["token"], None):
            case Review() as review:
                return self._page(request, review, answer, _inputs(written))
            case Answer() as refused:
                return _no_such_link(request, refused.words)

    def _page(
        self,
        request: web.Request,
        review: Review,
        answer: Answer | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> web.Response:
        now = self.now()
        context = {
            "card": review.card,
            "who": one_line(review.who),
            "words": answer.words if answer else review.words,
            "refused": answer is not None,
            "wrong": answer.field if answer else "",
            "typed": typed or {},
            "groups": groups(review.card) if review.may_decide and review.card.outcome is None else (),
            "lines": tuple(lines(review.card.payload)) if review.card.payload else (),
            "left": left(review.card.expires_at, now),
            "seal": seal_form(request.match_info["token"], self.keys, now),
        }
        status = 200 if answer is None else 422 if answer.field else 409
        response = drawn("decision.html", context, status)
        keep_private(response)
        return response


# ---- what the template shows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """Choices that ask for the same inputs share one form, so that the browser itself can insist on what is needed."""

    inputs: tuple[Input, ...]
    choices: tuple[Choice, ...]

    @property
    def is_list(self) -> bool:
        return len(self.choices) > 3 or any(choice.description for choice in self.choices)


def groups(card: Card) -> tuple[Group, ...]:
    found: dict[tuple[Input, ...], list[Choice]] = {}
    for choice in card.choices:
        found.setdefault(card.inputs_of(choice.id), []).append(choice)
    return tuple(Group(inputs, tuple(choices)) for inputs, choices in found.items())


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the payload, its line end included; `look` is a class of the style sheet."""

    text: str
    look: str = ""


def lines(payload: Payload) -> Iterator[Line]:
    """The whole payload. Characters that would hide or reorder others are written out."""
    for text in visible(payload.body).splitlines(keepends=True):
        yield Line(text, _look(text) if payload.format is Format.DIFF else "")


def _look(text: str) -> str:
    match text[:3]:
        case "+++" | "---":
            return "file"
        case "@@ ":
            return "hunk"
        case found:
            return {"+": "added", "-": "removed"}.get(found[:1], "")


def left(until: datetime | None, now: datetime) -> str:
    """The time that is left, in words; "" where it does not matter."""
    if until is None:
        return ""
    minutes = int((until - now).total_seconds()) // 60
    if minutes < 0:
        return "now"
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= 2 * size or (minutes >= size and word == "minute"):
            count = minutes // size
            return f"in {count} {word}{'s' if count > 1 else ''}"
    return "in less than a minute"


# ---- what came with a request ----------------------------------------------------------------------------------------


def _inputs(written: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_FIELD): value for name, value in written.items() if name.startswith(_FIELD)}


def _reader(token: str) -> Person:
    """The token was sent to one reader alone: having it is the proof."""
    return Person(PLATFORM, token)


def _no_such_link(request: web.Request, words: str) -> web.Response:
    return error_page(request, 404, "This link does not work", words)
