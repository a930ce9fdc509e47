"""The floor: a bare aiohttp server that forwards one POST to the sink, as it came, and answers.

It reads nothing, checks nobody, stores nothing, shows no card and promises nothing.
"""

import asyncio
import sys

from aiohttp import ClientSession, TCPConnector, web


async def serve(sink: str) -> None:
    async with ClientSession(connector=TCPConnector(limit_per_host=200)) as session:

        async def forward(request: web.Request) -> web.Response:
            async with session.post(f"{sink}/chat.postMessage", data=await request.read()) as answer:
                await answer.read()
            return web.json_response({"ok": True}, status=202)

        application = web.Application()
        application.router.add_post("/api/v1/events", forward)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
