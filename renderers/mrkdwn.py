"""The markdown tree as Slack's mrkdwn, in which nothing from outside pings, links or breaks out of a fence."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from renderers.clip import SLACK_SECTION, fits, pieces
from renderers.inert import escaped
from renderers.markdown import Block, Blocks, Bullets, Code, Paragraph, Quote, Rule, Run, Runs, Table

# How much a character of an atom may become: an entity, or the signs of three styles around a line of its own.
_GROWTH = 8
_ATOM = SLACK_SECTION // _GROWTH
_LOOKALIKES = {
    "*": "\N{ASTERISK OPERATOR}",
    "_": "\N{MODIFIER LETTER LOW MACRON}",
    "~": "\N{TILDE OPERATOR}",
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
}
_SIGNS = re.compile(r"[*_~`&<>]")
_EMOJI = re.compile(r":[\w+-]+:")
_TOKEN_IN_PLAIN = re.compile(r"<(?=[!@#/]|\w+:)")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str, *, styled: bool = False) -> str:
    """Words that Slack shows as they are, in a mrkdwn text."""
    if not _SIGNS.search(text):
        return text
    for sign, lookalike in _LOOKALIKES.items():
        if sign in text and (styled or text.count(sign) > 1):
            text = text.replace("`", lookalike) if sign == "`" else _live(sign).sub(lookalike, text)
    return escape(text)


def exact(text: str) -> str:
    """A value to the letter: as it is, or as code where Slack would read markup or an emoji into it."""
    if ":" not in text and not _SIGNS.search(text):
        return text
    plain = escape(text)
    if literal(text) == plain and not _EMOJI.search(text):
        return plain
    return literal(text) if "`" in text or "\n" in text or text.strip() != text else f"`{plain}`"


@cache
def _live(sign: str) -> re.Pattern[str]:
    """Slack reads a sign as markup only at a word's edge; there is no way to escape one."""
    return re.compile(rf"(?<![^\W_])\{sign}(?=\S)|(?<=\S)\{sign}(?![^\W_])")


def plain_text(text: str) -> str:
    """For plain_text objects: Slack keeps their signs, but nothing in them may look like a token on the way."""
    return _TOKEN_IN_PLAIN.sub("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", text)


def fences(text: str, *, json: bool = False) -> list[str]:
    """The whole text as code, a fence for each section. Three backticks cannot end it early."""
    backtick = escaped("`") if json else _LOOKALIKES["`"]
    text = re.sub("`{3,}", lambda ticks: backtick * len(ticks.group()), text)
    room = SLACK_SECTION - len("```\n\n```")
    parts = pieces(text, room) if fits(escape(text), room) else pieces(text, room // 5)
    return list(_merged((escape(part) for part in parts), room))


def fence(inside: str) -> str:
    return f"```\n{inside.removesuffix(chr(10))}\n```"


def sections(blocks: Blocks) -> list[str]:
    """The whole tree as texts that each fit a section."""
    return list(_packed(_written(blocks)))


# What is written: pieces that begin a new line (or, after an empty line, a new paragraph), each made of atoms that are
# short and whole, so that a section can end between any two of them without tearing a link or a style.
_Piece = tuple[str, list[str]]


def _written(blocks: Blocks, prefix: str = "") -> Iterator[_Piece]:
    for block in blocks:
        yield from _block(block, prefix)


def _block(block: Block, prefix: str) -> Iterator[_Piece]:
    match block:
        case Paragraph(runs, heading):
            yield "\n\n", list(_atoms(tuple(run._replace(bold=True) for run in runs) if heading else runs, prefix))
        case Code(text):
            yield from (("\n\n", [fence(part)]) for part in fences(text))
        case Table():
            yield from (("\n\n", [fence(part)]) for part in fences("\n".join(block.lines())))
        case Quote(inner):
            yield from _written(inner, f"{prefix}> " if not prefix.startswith(">") else prefix)
        case Bullets():
            yield from _bullets(block, prefix)
        case Rule():
            yield "\n\n", [f"{prefix}———"]


def _bullets(bullets: Bullets, prefix: str) -> Iterator[_Piece]:
    gap = "\n\n"
    for sign, item in zip(bullets.marks(), bullets.items, strict=True):
        begun = False
        for _, atoms in _written(item, f"{prefix}    "):
            first = atoms and atoms[0].startswith(f"{prefix}    ")
            if not begun and first:
                atoms[0] = f"{prefix}{sign} {atoms[0][len(prefix) + 4 :]}"
            begun = begun or bool(first)
            yield gap, atoms
            gap = "\n"


def _atoms(runs: Runs, prefix: str) -> Iterator[str]:
    start = prefix
    for run in runs:
        most = _room(run, prefix) if prefix or run.href else _ATOM
        short = (run,) if fits(run.text, most) else (run._replace(text=text) for text in pieces(run.text, most))
        for part in map(_run, short):
            yield start + part.replace("\n", f"\n{prefix}") if prefix else part
            start = ""


def _room(run: Run, prefix: str) -> int:
    """How many of its characters fit a section where each may be a line with the prefix, or stand beside the link."""
    return (SLACK_SECTION - len(escape(run.href))) // (_GROWTH + len(prefix))


def _run(run: Run) -> str:
    if not run.text.strip():
        return run.text
    if run.href:
        return _styled(run, f"<{escape(run.href)}|{literal(run.text).replace(chr(10), ' ')}>")
    if run.code:
        return _styled(run, f"`{escape(run.text).replace('`', _LOOKALIKES['`']).replace(chr(10), ' ')}`")
    if not (run.bold or run.italic or run.strike or _SIGNS.search(run.text)):
        return run.text
    return "\n".join(
        _styled(run, literal(line, styled=run.bold or run.italic or run.strike)) for line in run.text.split("\n")
    )


def _styled(run: Run, text: str) -> str:
    """Slack wants its signs close to the words, so spaces stay outside."""
    words = text.strip()
    if not words:
        return text
    signs = "".join(sign for sign, on in (("*", run.bold), ("_", run.italic), ("~", run.strike)) if on)
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{signs}{words}{signs[::-1]}{after}"


def _packed(written: Iterable[_Piece]) -> Iterator[str]:
    text = ""
    for gap, atoms in written:
        joint = gap if text else ""
        for atom in atoms:
            if text and not fits(text + joint + atom, SLACK_SECTION):
                yield text
                text, joint = "", ""
            text += joint + atom
            joint = ""
    if text.strip():
        yield text


def _merged(parts: Iterable[str], room: int) -> Iterator[str]:
    text = ""
    for part in parts:
        if text and not fits(text + part, room):
            yield text
            text = ""
        text += part
    if text:
        yield text
