"""One Slack message as it lies in a conversation now, and what a person finds in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.rehearsal.platform import Json
from bot.rehearsal.slack_rules import elements_of, options_of
from bot.rehearsal.slack_text import links_in, live_text, mentions_in, shown, words_of


@dataclass(frozen=True, slots=True)
class Element:
    """Something in a message or a modal that a person can press, choose or fill."""

    label: str
    type: str
    block_id: str
    action_id: str
    raw: Json
    attachment: int | None = None

    @property
    def value(self) -> str | None:
        return self.raw.get("value")

    @property
    def style(self) -> str | None:
        return self.raw.get("style")

    @property
    def url(self) -> str | None:
        return self.raw.get("url")

    @property
    def options(self) -> list[str]:
        return [option["text"]["text"] for option in options_of(self.raw)]

    def option(self, wanted: str) -> Json:
        """By its label or its value."""
        for option in options_of(self.raw):
            if wanted in {option["text"]["text"], option.get("value")}:
                return option
        raise LookupError(f"{self.label or self.action_id} offers {self.options}, not {wanted!r}")


@dataclass(slots=True, eq=False)
class Message:
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    edited: int = 0
    ephemeral_for: str | None = None
    from_bot: bool = True
    metadata: Json | None = None
    values: dict[str, dict[str, dict[str, Json]]] = field(default_factory=dict)

    @property
    def elements(self) -> list[Element]:
        groups: list[tuple[int | None, list[Json]]] = [(None, self.blocks)]
        groups += [(place, each.get("blocks") or []) for place, each in enumerate(self.attachments, 1)]
        return [element for place, blocks in groups for element in elements_in(blocks, place)]

    @property
    def buttons(self) -> list[Element]:
        """Those that ask the app; buttons that only open an address are among the links."""
        return [each for each in self.elements if each.type == "button" and not each.url]

    @property
    def labels(self) -> list[str]:
        return [each.label for each in self.buttons]

    @property
    def menus(self) -> list[Element]:
        return [each for each in self.elements if each.type in {"static_select", "radio_buttons", "overflow"}]

    @property
    def links(self) -> list[str]:
        """Every address that a click would open."""
        buttons = [each.url for each in self.elements if each.url]
        return [*buttons, *(link for text in self._live() for link in links_in(text))]

    @property
    def mentions(self) -> list[str]:
        """Mentions that would ring somebody; text made inert has none."""
        return [mention for text in self._live() for mention in mentions_in(text)]

    @property
    def color(self) -> str | None:
        return next((each["color"] for each in self.attachments if each.get("color")), None)

    def shown_text(self) -> str:
        """All words a person sees, a line for each piece; `text` counts only where there are no blocks."""
        pieces = [words_of(self.blocks)] if self.blocks else [shown(self.text)]
        for each in self.attachments:
            pieces += [shown(str(each[key])) for key in ("pretext", "title", "text") if each.get(key)]
            pieces += [f"{shown(one['title'])}\n{shown(one['value'])}" for one in each.get("fields", [])]
            pieces += [words_of(each.get("blocks") or []), shown(each.get("footer") or "")]
        return "\n".join(piece for piece in pieces if piece)

    def _live(self) -> Iterator[str]:
        yield self.text
        yield from live_text(self.blocks)
        for each in self.attachments:
            yield from (str(each[key]) for key in ("pretext", "title", "text") if each.get(key))
            yield from live_text(each.get("blocks") or [])


def elements_in(blocks: list[Json], attachment: int | None = None) -> list[Element]:
    found = []
    for block in blocks:
        if block["type"] == "rich_text":
            continue
        for raw in elements_of(block):
            words = block.get("label") or raw.get("text") or raw.get("placeholder") or {}
            label, action = words.get("text", ""), raw.get("action_id", "")
            found.append(Element(label, raw["type"], block["block_id"], action, raw, attachment))
    return found
