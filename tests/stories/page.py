"""A signed page as a person's browser shows it, and what can be sent from it."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiohttp import ClientSession

BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
_BUTTON = re.compile(r'<button type="submit" name="choice" value="([^"]+)"[^>]*>\s*<span>(.*?)</span>', re.DOTALL)
_SEAL = re.compile(r'name="seal" value="([^"]+)"')
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Page:
    http: ClientSession
    url: str
    status: int
    html: str
    headers: Mapping[str, str]

    @classmethod
    async def open(cls, http: ClientSession, url: str) -> Self:
        async with http.get(url, headers=BROWSER) as response:
            return cls(http, url, response.status, await response.text(), dict(response.headers))

    @property
    def text(self) -> str:
        """The words, without their markup."""
        return html.unescape(_TAG.sub("", self.html))

    @property
    def buttons(self) -> dict[str, str]:
        """Choices by what stands on their buttons."""
        return {html.unescape(label): choice for choice, label in _BUTTON.findall(self.html)}

    @property
    def seal(self) -> str:
        found = _SEAL.search(self.html)
        return found[1] if found else ""

    async def press(self, label: str, **inputs: str) -> Self:
        """The page that follows."""
        return await self.post(self.buttons[label], inputs)

    async def post(
        self,
        choice: str,
        inputs: Mapping[str, str] | None = None,
        *,
        seal: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Any form, also one that the page does not offer."""
        written = {f"input.{name}": value for name, value in (inputs or {}).items()}
        form = {"seal": self.seal if seal is None else seal, "choice": choice, **written}
        async with self.http.post(self.url, data=form, headers={**BROWSER, **(headers or {})}) as response:
            return type(self)(self.http, self.url, response.status, await response.text(), dict(response.headers))
