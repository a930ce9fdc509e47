"""What a person reads in blocks: words as Slack's client shows them, and what in them does something."""

import re
from collections.abc import Iterator
from typing import Any

from bot.rehearsal.platform import Json
from bot.rehearsal.slack_rules import elements_of, options_of

TOKEN = re.compile(r"<([^<>\n]+)>")
_DATE = "!date^"  # a moment in the reader's own zone; its label is for clients that cannot write that
MARKDOWN_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+)\)")


def shown(text: str) -> str:
    """Slack's markup as it looks: links by their label, mentions with their sign, entities undone."""
    return unescape(TOKEN.sub(lambda match: _token(match.group(1)), text))


def _token(inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith(_DATE):
        return label
    if target.startswith(("@", "#")):
        return label or target
    if target.startswith("!"):
        return f"@{label or target[1:]}"
    return label or target


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mentions_in(text: str) -> list[str]:
    """Tokens that would call somebody: <!channel>, <@U1>, <!subteam^S1>."""
    found = [each for each in TOKEN.findall(text) if each.startswith(("@", "!", "#"))]
    return [f"<{each}>" for each in found if not each.startswith(_DATE)]


def links_in(text: str) -> list[str]:
    tokens = [inside.partition("|")[0] for inside in TOKEN.findall(text)]
    return [token for token in tokens if ":" in token and not token.startswith(("@", "!", "#"))]


def words_of(blocks: list[Json]) -> str:
    """All words of the blocks, a line for each piece."""
    return "\n".join(piece for block in blocks for piece in _pieces(block) if piece)


def live_text(blocks: list[Json]) -> Iterator[str]:
    """The texts in which Slack looks for markup, raw."""
    for block in blocks:
        if block["type"] == "markdown":
            yield block["text"]
        yield from _mrkdwn(block)


def _mrkdwn(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _mrkdwn(each)
    elif isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield str(value["text"])
        for each in value.values():
            yield from _mrkdwn(each)


def _pieces(block: Json) -> Iterator[str]:
    match block["type"]:
        case "markdown":
            yield MARKDOWN_LINK.sub(r"\1", shown(block["text"]))
        case "rich_text":
            yield from _rich(block["elements"])
        case "image":
            yield block.get("alt_text", "")
        case "table":
            yield from (" | ".join(_cell(cell) for cell in row) for row in block.get("rows", []))
    for key in ("title", "label", "text", "hint", "subtitle", "body"):
        if isinstance(block.get(key), dict):
            yield _object(block[key])
    yield from (_object(field) for field in block.get("fields", []))
    if block["type"] == "context":
        yield from (_object(each) for each in block["elements"])
    for element in elements_of(block):
        yield from _element(element)


def _cell(cell: Json) -> str:
    return " ".join(_rich(cell["elements"])) if cell.get("type") == "rich_text" else str(cell.get("text", ""))


def _rich(elements: list[Json]) -> Iterator[str]:
    for element in elements:
        if "elements" in element:
            joint = "" if element["type"] == "rich_text_section" else "\n"
            yield joint.join(_rich(element["elements"]))
        elif element["type"] == "link":
            yield element.get("text") or element["url"]
        else:
            yield element.get("text") or element.get("user_id") or element.get("name") or element.get("range") or ""


def _object(text: Json) -> str:
    if text.get("type") == "image":
        return str(text.get("alt_text", ""))
    return shown(text["text"]) if text.get("type") == "mrkdwn" else unescape(text["text"])


def _element(element: Json) -> Iterator[str]:
    if isinstance(element.get("text"), dict):
        yield _object(element["text"])
    if isinstance(element.get("placeholder"), dict):
        yield _object(element["placeholder"])
    yield from (_object(option["text"]) for option in options_of(element))
