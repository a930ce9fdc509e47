"""What the platforms refuse, asked of everybody who knows: the rehearsal platforms, the schemas, our own table."""

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator, Draft7Validator

from bot.rehearsal.slack_rules import blocks_problem, view_problem
from bot.rehearsal.teams_rules import card_problem
from renderers import clip
from renderers.block_kit import SlackMessage
from renderers.email import Mail
from renderers.markdown import parse
from renderers.mrkdwn import sections

Json = dict[str, Any]

SAFE_LINK = re.compile(
    r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d+)?([/?#][^\s<>|\"'`\\]*)?|mailto:[^\s<>|\"'?&/@]+@[a-z0-9.-]+"
)

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts"


@cache
def _schema(name: str) -> Json:
    file = CONTRACTS / name
    if not file.is_file():
        pytest.skip(f"the platforms' contracts are not beside this repository: {file.name}")
    schema: Json = json.loads(file.read_text())
    return schema


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from strings(each)
        case list():
            for each in value:
                yield from strings(each)


def objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from objects(each)
    if isinstance(value, list):
        for each in value:
            yield from objects(each)


def mrkdwn(markdown: str) -> str:
    """Markdown from outside as Slack's mrkdwn."""
    return "\n\n".join(sections(parse(markdown)))


def odd_characters(text: str) -> list[str]:
    """Controls, direction marks, zero-width characters and halves of characters."""
    found = re.findall(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text
    )
    return [hex(ord(char)) for char in found]


# ---- Slack -----------------------------------------------------------------------------------------------------------


def message_problems(message: SlackMessage) -> list[str]:
    blocks = message.blocks
    found = blocks_problem(blocks)
    problems = [found[1]] if found else []
    if not 0 < len(message.text) <= 5 * clip.SLACK_FALLBACK:
        problems.append(f"fallback of {len(message.text)} characters")
    return [*problems, *_slack_problems(blocks)]


def view_problems(view: Json) -> list[str]:
    problem = view_problem(view)
    size = len(json.dumps(view))
    problems = [problem] if problem else []
    if size > 250_000:
        problems.append(f"view_too_large: {size}")
    if len(view.get("private_metadata", "")) > 3000:
        problems.append("private_metadata")
    return [*problems, *_slack_problems(view["blocks"])]


def _slack_problems(blocks: list[Json]) -> Iterator[str]:
    for each in objects(blocks):
        yield from _text_problems(each)
        if each.get("type") == "button" and "url" in each and not SAFE_LINK.fullmatch(each["url"]):
            yield f"a button to {each['url']!r}"
        if each.get("type") == "button" and "url" not in each and len(each["value"]) > clip.SLACK_VALUE:
            yield "button value"
        if any(len(field["text"]) > clip.SLACK_FIELD for field in each.get("fields", [])):
            yield "field"
    yield from (f"odd character {char}" for text in strings(blocks) for char in odd_characters(text))


def _text_problems(each: Json) -> Iterator[str]:
    text = str(each.get("text", "")) if isinstance(each.get("text", ""), str) else ""
    match each.get("type"):
        case "mrkdwn":
            yield from _live_tokens(text)
            if text.count("```") % 2:
                yield f"a fence that does not close: {text[:60]!r}"
            if not each.get("verbatim"):
                yield "Slack would link names and addresses by itself"
        case "plain_text":
            if re.search(r"<[!@#]", text):
                yield f"looks like a token: {text[:60]!r}"
            if each.get("emoji"):
                yield "emoji by name"


def _live_tokens(text: str) -> Iterator[str]:
    ours = re.compile(r"!date\^\d+\^\{date_short_pretty\} \{time\}\|[\w ,:]+ UTC")
    without = re.sub(r"<([^<>]*)>", "", text)
    if "<" in without or ">" in re.sub(r"^(> )+", "", without, flags=re.MULTILINE):
        yield f"a stray bracket: {text[:80]!r}"
    for inside in re.findall(r"<([^<>]*)>", text):
        target = inside.partition("|")[0].replace("&amp;", "&")
        if not ours.fullmatch(inside) and not SAFE_LINK.fullmatch(target):
            yield f"a live token: <{inside}>"


def slack_schema_problems(blocks: list[Json]) -> list[str]:
    validator = Draft7Validator(_schema("slack/KnownBlock.schema.json"))
    return [error.message[:200] for block in blocks for error in validator.iter_errors(block)]


# ---- Teams -----------------------------------------------------------------------------------------------------------


def card_problems(content: Json) -> list[str]:
    problem = card_problem(content)
    problems = [problem] if problem else []
    size = len(json.dumps(content, ensure_ascii=False).encode("utf-16-le"))
    if size > clip.TEAMS_CARD_BYTES:
        problems.append(f"{size} bytes")
    if content["version"] != "1.5" or content["msteams"] != {"width": "Full"}:
        problems.append("version or width")
    ids = [each["id"] for each in objects(content) if str(each.get("type")).startswith("Input.")]
    if len(ids) != len(set(ids)):
        problems.append("input ids")
    return [*problems, *_element_problems(content)]


def _element_problems(content: Json) -> Iterator[str]:
    for each in objects(content):
        kind = str(each.get("type"))
        if kind == "TextBlock" and each.get("wrap") is not True:
            yield "a line that is cut off"
        if kind.startswith("Input.") and not each.get("label"):
            yield "an input without a label"
        if kind == "Action.Execute" and each["fallback"]["data"] != each["data"]:
            yield "old clients would answer something else"
        if kind == "Action.OpenUrl" and not SAFE_LINK.fullmatch(each["url"]):
            yield f"a link to {each['url']!r}"
        if each.get("style") in {"positive", "destructive"}:
            yield "a style that Teams does not show"
    for text in strings(content):
        yield from (f"odd character {char}" for char in odd_characters(text))


def card_schema_problems(content: Json) -> list[str]:
    bare = {key: value for key, value in content.items() if key != "msteams"}
    validator = Draft6Validator(_schema("adaptive-cards/adaptive-card-1.5.0.json"))
    return [f"{list(error.absolute_path)}: {error.message[:160]}" for error in validator.iter_errors(bare)]


# ---- mail ------------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Holds a page to the elements and attributes that the template is known to use."""

    void = frozenset({"meta", "hr", "br"})
    blocks = frozenset(
        {"div", "table", "tbody", "tr", "td", "th", "p", "h1", "h2", "pre", "ul", "ol", "li", "blockquote"}
    )
    tags = void | blocks | {"html", "head", "title", "style", "body", "a", "strong", "em", "s", "code", "span"}
    attributes = frozenset(
        {"lang", "charset", "name", "content", "class", "style", "role", "align", "href", "scope", "start"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.tags:
            self.problems.append(f"<{tag}>")
        if tag not in self.void:
            self.open.append(tag)
        for name, value in attrs:
            if name not in self.attributes:
                self.problems.append(f"<{tag} {name}>")
            if name == "href" and not SAFE_LINK.fullmatch(value or ""):
                self.problems.append(f"a link to {value!r}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> out of place")


def mail_problems(mail: Mail) -> list[str]:
    page = _Page()
    page.feed(mail.html)
    page.close()
    problems = [*page.problems, *(f"<{tag}> never ends" for tag in page.open)]
    if odd_characters(mail.subject) or "\n" in mail.subject or not clip.fits(mail.subject, clip.EMAIL_SUBJECT):
        problems.append(f"subject {mail.subject[:80]!r}")
    return [*problems, *odd_characters(mail.html), *odd_characters(mail.text)]
