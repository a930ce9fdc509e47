"""One conversation with one person: answers as messages, and typing for as long as one is being prepared."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bot.channels.contract import DeliveryError, Person
from bot.channels.teams_connector import Connector
from renderers.clip import pieces
from renderers.markdown import Block, Blocks, Bullets, Code, Paragraph, Quote, Rule, Run, Runs, Table, parse

# Teams shows it for three seconds.
TYPING_SECONDS = 2.5
LONGEST_MESSAGE = 12_000

_SIGNS = re.compile(r"([\\`*_\[\]<>~|])")
_ENTITY = re.compile(r"&(?=#|\w+;)")
_LINE_SIGN = re.compile(r"^([^\S\n]*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TeamsChat:
    person: Person
    connector: Connector
    service_url: str
    conversation: str
    bot: str

    async def say(self, markdown: str) -> None:
        for text in messages(markdown):
            await self.connector.post(
                self.service_url,
                self.conversation,
                {**self._from_bot("message"), "textFormat": "markdown", "text": text},
            )

    @asynccontextmanager
    async def typing(self) -> AsyncIterator[None]:
        shown = asyncio.create_task(self._show_typing())
        try:
            yield
        finally:
            shown.cancel()

    async def _show_typing(self) -> None:
        while True:
            with suppress(DeliveryError):  # the answer matters, and says itself what is wrong
                await self.connector.notify(self.service_url, self.conversation, self._from_bot("typing"))
            await asyncio.sleep(TYPING_SECONDS)

    def _from_bot(self, kind: str) -> dict[str, Any]:
        return {"type": kind, "from": {"id": self.bot}}


# ---- the markdown that Teams understands -----------------------------------------------------------------------------


def messages(markdown: str) -> Iterator[str]:
    """The text in Teams' markdown, in as many messages as it needs. What comes from outside is inert in it."""
    message = ""
    for part in _written(parse(markdown)):
        if message and len(message) + len(part) > LONGEST_MESSAGE:
            yield message
            message = ""
        message = f"{message}\n\n{part}" if message else part
    if message:
        yield message


def _written(blocks: Blocks) -> Iterator[str]:
    for block in blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(runs, heading):
            for line in _in_parts(runs):
                yield _line(tuple(run._replace(bold=True) for run in line) if heading else line)
        case Code(text):
            yield from _fences(text)
        case Table():
            yield from _fences("\n".join(block.lines()))
        case Quote(inner):
            yield from (_indented(part, "> ") for part in _written(inner))
        case Bullets(items):
            marks = (mark if mark != "•" else "-" for mark in block.marks())
            for mark, item in zip(marks, items, strict=True):
                first, *more = list(_written(item)) or [""]
                yield "\n\n".join([f"{mark} {_indented(first, '  ')[2:]}", *(_indented(part, "  ") for part in more)])
        case Rule():
            yield "---"


def _in_parts(runs: Runs) -> Iterator[Runs]:
    """A paragraph, cut where it alone is longer than a message; every cut leaves whole runs."""
    part: list[Run] = []
    size = 0
    for run in runs:
        for text in pieces(run.text, LONGEST_MESSAGE // 4):
            if part and size + len(text) > LONGEST_MESSAGE // 4:
                yield tuple(part)
                part, size = [], 0
            part.append(run._replace(text=text))
            size += len(text)
    yield tuple(part)


def _line(runs: Runs) -> str:
    return _LINE_SIGN.sub(_unsigned, "".join(_run(run) for run in runs)).replace("\n", "  \n")


def _unsigned(found: re.Match[str]) -> str:
    """A sign at a line's beginning would make a heading or a list of it; a number is told by its dot."""
    space, sign = found.groups()
    return f"{space}{sign}\\" if sign.isdigit() else f"{space}\\{sign}"


def _run(run: Run) -> str:
    words = run.text.strip()
    if not words:
        return run.text
    text = f"`{words}`" if run.code and "`" not in words else _escaped(words)
    for sign, on in (("~~", run.strike), ("*", run.italic), ("**", run.bold)):
        text = f"{sign}{text}{sign}" if on else text
    if run.href:
        text = f"[{text}]({run.href})"
    before, after = run.text[: len(run.text) - len(run.text.lstrip())], run.text[len(run.text.rstrip()) :]
    return f"{before}{text}{after}"


def _escaped(words: str) -> str:
    return _ENTITY.sub("&amp;", _SIGNS.sub(r"\\\1", words))


def _fences(text: str) -> Iterator[str]:
    """A zero-width space keeps three backticks inside from ending the code early."""
    for part in pieces(text.replace("```", "``\u200b`"), LONGEST_MESSAGE // 2):
        yield f"```\n{part.strip(chr(10))}\n```"


def _indented(text: str, by: str) -> str:
    return "\n".join(f"{by}{line}" for line in text.split("\n"))
