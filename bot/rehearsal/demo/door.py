"""The demo's front door: its own page, and everything else handed on to the server, as a proxy of an owner would."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web
from multidict import CIMultiDict
from yarl import URL

LARGEST_BODY = 64 * 1024 * 1024
CHUNK = 64 * 1024
RETRY_AFTER = "1"
AWAY = "The server is not there: it was killed or is starting. Try again in a second.\n"
OF_ONE_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Door:
    """`serve` adds the demo's own routes before the one that takes everything."""

    def __init__(self, host: str, port: int, serve: Callable[[web.Application], None]) -> None:
        self.host = host
        self.port = port
        self._behind = ""
        self._serve = serve
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None

    @property
    def address(self) -> str:
        host = {str(IPv4Address(0)): "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"

    def lead_to(self, address: str) -> None:
        self._behind = address

    async def open(self) -> None:
        """Raises OSError if the port is taken."""
        app = web.Application(client_max_size=LARGEST_BODY)
        self._serve(app)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._session = ClientSession(
            timeout=ClientTimeout(total=None, sock_connect=2), auto_decompress=False, cookie_jar=DummyCookieJar()
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self.host, self.port).start()
        except OSError:
            await self.close()
            raise
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None, "the door is open"
        url = URL(self._behind + request.raw_path, encoded=True)
        body = request.content.iter_any() if request.body_exists else None
        try:
            answer = await self._session.request(
                request.method, url, headers=_kept(request.headers), data=body, allow_redirects=False
            )
        except (ClientError, OSError):
            return web.Response(status=502, text=AWAY, headers={"Retry-After": RETRY_AFTER})
        async with answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_kept(answer.headers))
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_chunked(CHUNK):
                    await response.write(chunk)
            except ClientError:
                # The server died in the middle of its answer: so does ours, rather than look complete.
                if request.transport is not None:
                    request.transport.abort()
                return response
            await response.write_eof()
            return response


def _kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in OF_ONE_HOP)
