"""The bot's own token: asked once for all, kept fresh beside the sends, waited for no longer than a fallback takes."""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from bot.channels.contract import DeliveryError, Reason
from bot.channels.http import retry_after
from bot.channels.teams_errors import login_error, transport_error
from bot.channels.teams_settings import TeamsSettings

log = logging.getLogger(__name__)

# A login that takes longer than this is still waited for, but by nobody who could use another channel meanwhile.
PATIENCE = 3.0
_TIMEOUT = ClientTimeout(total=20, sock_connect=5)
_MARGIN = 60.0
_LONGEST_PAUSE = 30.0
_LONGEST_LIFE = 86400
_AADSTS = re.compile(r"AADSTS(\d{4,8})")


class BotToken:
    """Cached and single-flight. Its age is measured by the running clock of the machine: it is the login's time."""

    def __init__(self, http: Callable[[], ClientSession], settings: TeamsSettings) -> None:
        self._http = http
        self._settings = settings
        self._token = ""
        self._renew_at = 0.0
        self._good_until = 0.0
        self._asking: asyncio.Task[str] | None = None
        self._asked_at = 0.0
        self._failures = 0
        self._failed: DeliveryError | None = None
        self._pause_until = 0.0

    async def get(self) -> str:
        """A token that is still good for a while. Raises DeliveryError, at once during the pause after a failure."""
        now = _seconds()
        if self._token and now < self._good_until:
            return self._token
        if self._failed is not None and now < self._pause_until:
            raise _again(self._failed, self._pause_until - now)
        return await self._wait(self._ask())

    async def fresh(self) -> str:
        """A token asked now, whatever is cached: to find out whether the credentials are right."""
        return await self._wait(self._ask())

    def refuse(self, token: str) -> None:
        """The connector did not take this token, so it is not used again."""
        if token == self._token:
            self._token = ""

    async def keep(self) -> None:
        """Renews the token before a send would have to wait for it, until cancelled."""
        while True:
            now = _seconds()
            due = self._renew_at if self._token else self._pause_until
            if now < due:
                await asyncio.sleep(min(due - now, 60.0))
                continue
            try:
                await asyncio.shield(self._ask())
            except DeliveryError as error:
                # Each way of failing is told once, not with every try.
                if self._failures == 1:
                    log.warning("Teams: cannot log in: %s", error.detail)

    def _ask(self) -> asyncio.Task[str]:
        if self._asking is None:
            self._asked_at = _seconds()
            self._asking = asyncio.create_task(self._ask_login())
            self._asking.add_done_callback(self._asked)
        return self._asking

    def _asked(self, task: asyncio.Task[str]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may be waiting any more

    async def _wait(self, asking: asyncio.Task[str]) -> str:
        left = max(0.0, self._asked_at + PATIENCE - _seconds())
        try:
            return await asyncio.wait_for(asyncio.shield(asking), left)
        except TimeoutError:
            raise DeliveryError(Reason.TIMED_OUT, "Microsoft's login did not answer in time") from None

    async def _ask_login(self) -> str:
        try:
            token, lifetime = await self._call()
        except DeliveryError as error:
            self._failures += 1
            pause = max(error.retry_after or 0.0, min(2.0 ** (self._failures - 1), _LONGEST_PAUSE))
            self._failed, self._pause_until = error, _seconds() + pause
            self._renew_at = self._pause_until
            raise
        self._failures, self._failed = 0, None
        self._token, now = token, _seconds()
        self._good_until = now + lifetime - min(_MARGIN, lifetime / 10)
        self._renew_at = now + lifetime * 0.75
        return token

    async def _call(self) -> tuple[str, int]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.app_id,
            "client_secret": self._settings.secret,
            "scope": self._settings.scope,
        }
        try:
            async with self._http().post(
                self._settings.token_url, data=form, timeout=_TIMEOUT, allow_redirects=False
            ) as response:
                return _token_in(await response.read(), response)
        except (ClientError, OSError) as error:
            raise transport_error(error, "Microsoft's login") from None


def _token_in(raw: bytes, response: ClientResponse) -> tuple[str, int]:
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    token = answer.get("access_token")
    if response.status == 200 and isinstance(token, str) and token.isprintable() and token:
        return token, _lifetime(answer.get("expires_in"))
    after = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    raise login_error(response.status, _codes(answer), after)


def _lifetime(value: object) -> int:
    """Seconds, as a number or, from older logins, as text; without it a token is used for five minutes."""
    try:
        return min(max(int(str(value)), 0), _LONGEST_LIFE)
    except ValueError:
        return 300


def _codes(answer: dict[str, object]) -> list[int]:
    codes = answer.get("error_codes")
    listed = [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    named = [int(code) for code in _AADSTS.findall(str(answer.get("error_description", ""))[:2000])]
    return listed or named


def _again(error: DeliveryError, left: float) -> DeliveryError:
    return DeliveryError(error.reason, error.detail, left if error.reason.passes else None)


def _seconds() -> float:
    return asyncio.get_running_loop().time()
