"""A browser of somebody who is signed in: the cookie, and forms that carry their seal."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import ClientSession, CookieJar

from bot.admin.access import Access, Browser
from bot.admin.site import COOKIE
from bot.audit.ledger import Ledger
from interactions.model import Actor
from tests.stories.world import World

SAME = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
_SEAL = re.compile(r'name="seal" value="([^"]+)"')
_TAG = re.compile(r"<script.*?</script>|<[^>]+>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it came."""

    status: int
    html: str
    headers: Mapping[str, str]
    at: str

    @property
    def words(self) -> str:
        """What stands on it, in one line."""
        return " ".join(html.unescape(_TAG.sub(" ", self.html)).split())

    @property
    def seal(self) -> str:
        found = _SEAL.search(self.html)
        return found[1] if found else ""


class Visiting:
    """One browser without script. `async with Visiting(world) as browser` is nobody's; see `signed_in`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = ClientSession(cookie_jar=CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def get(self, path: str, *, follow: bool = True, **headers: str) -> Seen:
        return await self._asked("GET", path, follow, None, headers)

    async def post(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        seal_of: str = "",
        follow: bool = True,
        **headers: str,
    ) -> Seen:
        """Send a form with the seal of the page `seal_of` (else of the account page, which every role may see)."""
        seal = (await self.get(seal_of or "/admin/me")).seal
        return await self._asked("POST", path, follow, {"seal": seal, **(form or {})}, headers)

    async def post_raw(self, path: str, form: Mapping[str, str], **headers: str) -> Seen:
        """A form as somebody else might send it."""
        return await self._asked("POST", path, False, form, headers)

    async def _asked(self, method: str, path: str, follow: bool, form: Any, headers: Mapping[str, str]) -> Seen:
        url = path if path.startswith("http") else f"{self.world.address}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = self.http.request(method, url, data=form, headers={**SAME, **named}, allow_redirects=follow)
        async with asked as response:
            return Seen(response.status, await response.text(), response.headers.copy(), str(response.url))


async def signed_in(world: World, email: str) -> Visiting:
    """The browser of this operator; close it, or use it as a context."""
    browser = Visiting(world)
    browser.http.cookie_jar.update_cookies({COOKIE: await cookie_of(world, email)})
    return browser


async def cookie_of(world: World, email: str, agent: str = "A test's browser") -> str:
    """A new session of this operator: what stands in the cookie."""
    operator = await world.operators.by_email(email)
    assert operator, f"{email} is nobody's operator"
    return await access_of(world).open(
        Actor(operator.id, operator.name, operator.email, operator.role), Browser("", agent)
    )


def access_of(world: World) -> Access:
    made = world.product
    return Access(made.store, Ledger(made.store, made.ledger_keys), made.clock.now)


async def sign_in(page: Any, world: World, email: str) -> None:
    """Give a real browser's page the session of this operator."""
    cookie = {"name": COOKIE, "value": await cookie_of(world, email), "url": world.address}
    await page.context.add_cookies([cookie])
