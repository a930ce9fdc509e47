"""Markdown from outside, parsed once into a small tree; each platform writes the tree in its own way.

Raw HTML is text, images are never loaded, and a link always shows the host that it leads to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from renderers.clip import LINK, MARKDOWN, TABLE_CELL, fits
from renderers.inert import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


class Run(NamedTuple):
    """Words in one style; a line break is a run of "\\n"."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    href: str = ""
    aside: bool = False  # the true host after a link, for platforms that hide the address


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    runs: Runs
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    pass


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; `first` is its first number, or None for bullets."""

    items: "tuple[tuple[Block, ...], ...]"
    first: int | None = None

    def marks(self) -> Iterator[str]:
        for place in range(len(self.items)):
            yield "•" if self.first is None else f"{self.first + place}."


@dataclass(frozen=True, slots=True)
class Table:
    """The first row is the head. Cells are words without style."""

    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> Iterator[str]:
        columns = max(map(len, self.rows), default=0)
        widths = [max(len(row[column]) for row in self.rows if column < len(row)) for column in range(columns)]
        for row in self.rows:
            yield "  ".join(
                cell.ljust(min(width, TABLE_CELL)) for cell, width in zip(row, widths, strict=False)
            ).rstrip()


Block = Paragraph | Code | Rule | Quote | Bullets | Table
Blocks = tuple[Block, ...]

# What may be markup: a sign anywhere, or the beginning of a line. Text without either needs no parser.
_SIGNS = re.compile(r"[\\`*_\[\]<>~|!&]")
_MARKED = re.compile(r" {0,3}(?:[-+=#]|\d+[.)])| {4}|\t")
# What makes a line more than a paragraph's words: the beginning of a block, or a blank that means something.
_OPENS = re.compile(r"[-+=#>|:\s]|\d+[.)]|```")
_CLOSES = (" ", "\t", "\\")
# Words, escaped signs and code spans, which is all that most notices hold: such a paragraph needs no parser either.
_WORDS = re.compile(
    r"([^\\`*_\[<~&]+(?:(?<=[^\W_])_(?=[^\W_])[^\\`*_\[<~&]+)*)"
    r"|\\([!-/:-@\[-`{-~])|(?<!`)(`+)(?!`)(.+?)(?<!`)\3(?!`)",
    re.DOTALL,
)
# Written so that a host can be read in one way only: others send it, and a second way would double the time per letter.
_PART = r"[a-z0-9_]+(?:-+[a-z0-9_]+)*"
_HOST = re.compile(rf"{_PART}(?:\.{_PART})*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"'|?&/]{1,64}@[a-z0-9.-]{1,253}", re.IGNORECASE)
_LONGEST_HOST = 253
_AND = len("&amp;") - len("&")  # what Slack counts for an "&" beyond the sign itself


def parse(source: str) -> Blocks:
    """The tree of a markdown text. What is too long or nested too deep for markup is shown as it was written."""
    source = clean(source).strip("\n")
    marked = _SIGNS.search(source) or any(map(_MARKED.match, source.split("\n")))
    if not marked or not fits(source, MARKDOWN):
        return _plain(source)
    return _simple(source) or _parsed(source)


def _parsed(source: str) -> Blocks:
    tokens = _parser().parse(source)
    if any(token.level >= _parser().options.maxNesting - 1 for token in tokens):
        return (Code(source),)  # the parser leaves out what lies deeper, and nothing may be left out
    return tuple(_blocks(iter(tokens)))


def plain(blocks: Blocks) -> str:
    """The tree as text for reading in a terminal, a log or a mail."""
    return "\n\n".join(_plain_block(block) for block in blocks)


def plain_runs(runs: Runs) -> str:
    return "".join(_plain_run(run) for run in runs if not run.aside)


def safe_link(url: str) -> str:
    """The address if a click on it can only open a page or a mail, else nothing."""
    if not url:
        return ""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if not fits(url, LINK) or clean(url) != url:
        return ""
    if parts.scheme == "mailto":
        return f"mailto:{parts.path}" if _ADDRESS.fullmatch(parts.path) else ""
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in {"http", "https"} or len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        return ""
    safe = urlunsplit(
        (parts.scheme, host + port, _encoded(parts.path), _encoded(parts.query), _encoded(parts.fragment))
    )
    return safe if len(safe) + _AND * safe.count("&") <= LINK else ""


def host_of(url: str) -> str:
    """What a person should know before a click: the host, or the address of a mail."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "mailto" else parts.netloc


def _encoded(part: str) -> str:
    return re.sub(
        r"[\s<>|\"'`\\^{}()\[\]*]", lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), part
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return (
        MarkdownIt("commonmark", {"html": False, "linkify": False})
        .enable(["table", "strikethrough"])
        .disable("reference")
    )


def _plain(source: str) -> Blocks:
    paragraphs = (part.strip("\n") for part in re.split(r"\n[ \t]*\n", source))
    return tuple(Paragraph((Run(part),)) for part in paragraphs if part.strip())


def _simple(source: str) -> Blocks:
    """The paragraphs of a text that holds nothing but words, escaped signs and code; else nothing."""
    blocks: list[Block] = []
    for part in filter(None, (part.strip("\n") for part in source.split("\n\n"))):
        lines = part.split("\n")
        if any(map(_OPENS.match, lines)) or any(line.endswith(_CLOSES) for line in lines):
            return ()
        runs = _worded(part) if _SIGNS.search(part) else (Run(part),)
        if runs is None:
            return ()
        blocks.append(Paragraph(runs))
    return tuple(blocks)


def _worded(part: str) -> Runs | None:
    runs: list[Run] = []
    words, end = "", 0
    for found in _WORDS.finditer(part):
        if found.start() != end:
            return None
        end = found.end()
        word, sign, ticks, inside = found.groups()
        if ticks:
            runs += [Run(clean(words)), Run(clean(_code(inside)), code=True)]
            words = ""
        else:
            words += word or sign
    if end != len(part):
        return None
    return tuple(run for run in (*runs, Run(clean(words))) if run.text)


def _code(inside: str) -> str:
    """What a code span shows: one line, without the blanks that keep its backticks apart from the fence."""
    line = inside.replace("\n", " ")
    return line[1:-1] if line[0] == line[-1] == " " and line.strip() else line


def _blocks(tokens: "Iterator[Token]", end: str = "") -> Iterator[Block]:
    for token in tokens:
        match token.type:
            case found if found == end:
                return
            case "paragraph_open" | "heading_open":
                yield Paragraph(_runs(next(tokens)), heading=token.type == "heading_open")
            case "fence" | "code_block":
                yield Code(clean(token.content).rstrip("\n"))
            case "hr":
                yield Rule()
            case "blockquote_open":
                yield Quote(tuple(_blocks(tokens, "blockquote_close")))
            case "bullet_list_open":
                yield Bullets(tuple(_items(tokens, "bullet_list_close")))
            case "ordered_list_open":
                yield Bullets(tuple(_items(tokens, "ordered_list_close")), int(token.attrGet("start") or 1))
            case "table_open":
                yield Table(tuple(_rows(tokens)))


def _items(tokens: "Iterator[Token]", end: str) -> Iterator[Blocks]:
    for token in tokens:
        if token.type == end:
            return
        if token.type == "list_item_open":
            yield tuple(_blocks(tokens, "list_item_close"))


def _rows(tokens: "Iterator[Token]") -> Iterator[tuple[str, ...]]:
    row: list[str] = []
    for token in tokens:
        match token.type:
            case "table_close":
                return
            case "inline":
                row.append(plain_runs(_runs(token)).replace("\n", " "))
            case "tr_close":
                yield tuple(row)
                row = []


def _runs(inline: "Token") -> Runs:
    """The runs of a paragraph. Styles are counted, because one may stand inside the same one."""
    runs: list[Run] = []
    depth = {"strong": 0, "em": 0, "s": 0}
    href, linked = "", 0
    for token in inline.children or ():
        kind, _, edge = token.type.rpartition("_")
        if kind in depth:
            depth[kind] += 1 if edge == "open" else -1
        elif token.type == "link_open":
            href, linked = str(token.attrGet("href") or ""), len(runs)
        elif token.type == "link_close":
            runs[linked:] = _link(tuple(runs[linked:]), href)
        else:
            bold, italic, strike = (count > 0 for count in depth.values())
            runs.extend(run._replace(bold=bold, italic=italic, strike=strike) for run in _words(token))
    return tuple(_joined(run for run in runs if run.text))


def _words(token: "Token") -> Runs:
    match token.type:
        case "softbreak" | "hardbreak":
            return (Run("\n"),)
        case "image":
            return _link((Run(clean(token.content) or "image"),), str(token.attrGet("src") or ""))
        case kind:
            return (Run(clean(token.content), code=kind == "code_inline"),)


def _link(runs: Runs, href: str) -> Runs:
    """The link's runs, followed by the true host unless the words are the address itself."""
    url, words = safe_link(href), "".join(run.text for run in runs).strip()
    if not url:
        return (*runs, Run(f" ({clean(href)})")) if words and href and words != clean(href) else runs
    if not words:
        runs, words = (Run(url),), url
    shown = tuple(run._replace(href=url) for run in runs)
    if words in {url, href, host_of(url)} or words == url.rstrip("/"):
        return shown
    return (*shown, Run(f" ({host_of(url)})", aside=True))


def _joined(runs: Iterator[Run]) -> Iterator[Run]:
    """Neighbours of one style become one run."""
    last: Run | None = None
    for run in runs:
        if last and run._replace(text="") == last._replace(text=""):
            last = last._replace(text=last.text + run.text)
            continue
        if last:
            yield last
        last = run
    if last:
        yield last


def _plain_run(run: Run) -> str:
    return run.text if not run.href or run.text in run.href else f"{run.text} <{run.href}>"


def _plain_block(block: Block) -> str:
    match block:
        case Paragraph(runs):
            return plain_runs(runs)
        case Code(text):
            return _indented(text, "    ")
        case Quote(blocks):
            return _indented(plain(blocks), "> ")
        case Bullets(items):
            return "\n".join(
                f"{sign} {_indented(plain(item), '  ')[2:]}" for sign, item in zip(block.marks(), items, strict=True)
            )
        case Table():
            return "\n".join(block.lines())
        case Rule():
            return "---"


def _indented(text: str, by: str) -> str:
    return "\n".join(f"{by}{line}" for line in text.split("\n"))
