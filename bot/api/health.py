"""What machines ask the server about itself: alive, able to accept, how it is doing; and the movable clock of tests."""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError

from bot import canonical
from bot.api.faces import Faces
from bot.api.operation import caller
from bot.api.problem import Problem, invalid, unreadable
from bot.api.shapes import Strict
from bot.clock import MovableClock
from bot.keys import Scope
from bot.metrics import CONTENT_TYPE
from bot.store import StoreUnavailable, Tx

log = logging.getLogger(__name__)

AGAIN = 1.0  # seconds for which one probe answers everybody, so that asking cannot become a load
PATIENCE = 5.0
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
TEN_YEARS = 10 * 366 * 86400.0


class AdvanceIn(Strict):
    advance: float = Field(ge=0, le=TEN_YEARS, allow_inf_nan=False, description="Seconds.")


_ADVANCE = TypeAdapter(AdvanceIn)


def routes(faces: Faces) -> Sequence[web.RouteDef]:
    probed = _Probe(faces).reason

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(request: web.Request) -> web.Response:
        reason = "shutting down" if faces.state.closing else await probed()
        if not reason:
            return web.json_response({"status": "ready"})
        # A database's own words name hosts and people, which are nothing for strangers.
        said = reason if _is_neighbour(request) else reason.partition(":")[0]
        return web.json_response({"status": "not ready", "reason": said}, status=503)

    async def metrics(request: web.Request) -> web.Response:
        if not _is_neighbour(request):
            await caller(request, faces, (Scope.METRICS,))
        return web.Response(body=faces.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    public = [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)]
    return [*public, web.post("/testing/clock", _clock(faces))] if isinstance(faces.clock, MovableClock) else public


class _Probe:
    """Whether something can be written now: asked of the database itself, by writing."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces
        self._asked = 0.0
        self._reason = ""
        self._one_at_a_time = asyncio.Lock()

    async def reason(self) -> str:
        """Why nothing can be accepted; "" where it can."""
        async with self._one_at_a_time:
            loop = asyncio.get_running_loop()
            if not self._asked or loop.time() - self._asked >= AGAIN:
                reason, self._asked = await self._ask(), loop.time()
                if reason and reason != self._reason:
                    log.warning("not ready: %s", reason)
                self._reason = reason
                self._faces.metrics.up("database", up=not self._reason)
        return self._reason

    async def _ask(self) -> str:
        at = self._faces.clock.now().timestamp()

        async def write(tx: Tx) -> None:
            await tx.run(
                "INSERT INTO seen (key, until) VALUES ('readyz', :at) ON CONFLICT (key) DO UPDATE SET until = :at",
                {"at": at},
            )

        try:
            async with asyncio.timeout(PATIENCE):
                await self._faces.store.write(write)
        except StoreUnavailable as error:
            return f"the database cannot be written: {error}"
        except TimeoutError:
            return f"the database did not answer within {PATIENCE:.0f} seconds"
        return ""


def _is_neighbour(request: web.Request) -> bool:
    """Whether the request comes from this machine itself, not from a proxy on it that speaks for somebody else."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _is_from_a_page(request: web.Request) -> bool:
    """Whether a browser sends it for some page, which may be anybody's although the browser runs here."""
    return "Origin" in request.headers or "Sec-Fetch-Site" in request.headers


def _clock(faces: Faces) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def forward(request: web.Request) -> web.Response:
        if not _is_neighbour(request) or _is_from_a_page(request) or not isinstance(faces.clock, MovableClock):
            raise Problem(403, "The clock is moved by programs on this machine only")
        try:
            body = _ADVANCE.validate_python(canonical.read(await request.read()))
        except canonical.NotCanonical as error:
            raise unreadable(error) from error
        except ValidationError as error:
            raise invalid(error, AdvanceIn.model_fields) from error
        return web.json_response({"now": faces.clock.forward(body.advance).isoformat()})

    return forward
