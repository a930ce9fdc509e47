"""A browser without script: only what stands on the page can be followed, filled in and pressed."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin, urlsplit

from aiohttp import ClientSession, ClientTimeout, CookieJar

from tests.patience import PATIENCE


@dataclass
class Form:
    """One form: the values that it would send as it stands, and what is on its buttons."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    buttons: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Takes a page apart: its forms, its links by their words, the values of read-only fields by their id."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.shown: dict[str, str] = {}
        self._form: Form | None = None
        self._select = ""
        self._href: str | None = None
        self._words: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self._form = Form(given.get("action", ""), given.get("method", "get").upper())
                self.forms.append(self._form)
            case "input":
                self._input(given)
            case "select":
                self._select = given.get("name", "")
            case "option" if self._form and self._select:
                if "selected" in given or self._select not in self._form.values:
                    self._form.values[self._select] = given.get("value", "")
            case "a" | "button":
                self._words, self._href = [], given.get("href") if tag == "a" else None

    def _input(self, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if "readonly" in given:
            self.shown[given.get("id", "")] = given.get("value", "")
        if not self._form or not name:
            return
        if "disabled" in given:
            self._form.locked.add(name)
        elif given.get("type") not in {"checkbox", "radio"} or "checked" in given:
            self._form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "select":
                self._select = ""
            case "a" | "button" if self._words is not None:
                words = " ".join("".join(self._words).split())
                if tag == "button" and self._form:
                    self._form.buttons.append(words)
                elif self._href is not None:
                    self.links.setdefault(words, self._href)
                self._words = None

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)


class Browser:
    """Where somebody is now, and what they do there."""

    def __init__(self) -> None:
        self._http = ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=PATIENCE))
        self.url = ""
        self.html = ""
        self.status = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    @property
    def words(self) -> str:
        """What stands on the page, in one line."""
        return " ".join(html.unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", self.html, flags=re.DOTALL)).split())

    @property
    def page(self) -> Reader:
        reader = Reader()
        reader.feed(self.html)
        return reader

    async def open(self, url: str) -> Self:
        """An address as it is typed, or by a path of the site."""
        came_from = "same-origin" if self.url else "none"
        return await self._go("GET", url, came_from)

    async def follow(self, words: str) -> Self:
        links = self.page.links
        assert words in links, f"no link {words!r} among {list(links)} on {self.url}: {self.words}"
        return await self.open(links[words])

    async def press(self, words: str, **typed: str) -> Self:
        """A button, after the fields beside it were filled in."""
        form = next((each for each in self.page.forms if any(words in button for button in each.buttons)), None)
        assert form, f"no button {words!r} on {self.url}: {self.words}"
        unknown = typed.keys() - form.values.keys()
        assert not unknown, f"no fields {sorted(unknown)} beside {words!r} on {self.url}; locked: {form.locked}"
        return await self._go(form.method, form.action or self.url, "same-origin", {**form.values, **typed})

    async def _go(self, method: str, url: str, came_from: str, form: dict[str, str] | None = None) -> Self:
        target = urljoin(self.url, url)
        site = urlsplit(target)
        headers = {"Accept": "text/html", "Sec-Fetch-Site": came_from}
        if method == "POST":
            headers["Origin"] = f"{site.scheme}://{site.netloc}"
        async with self._http.request(method, target, data=form, headers=headers) as response:
            self.url, self.status, self.html = str(response.url), response.status, await response.text()
        return self
