"""A login, a key server and a connector that take every call and answer after five seconds that they cannot."""

import asyncio

from aiohttp import web

SECONDS = 5.0


async def serve() -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(SECONDS)
        return web.Response(status=503)

    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", hang)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
