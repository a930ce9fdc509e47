"""The floor: the least aiohttp that takes an event, tells Slack its summary and answers.

It checks nobody, stores nothing, shows no card and promises nothing.
"""

import asyncio
import sys

from aiohttp import ClientSession, TCPConnector, web


async def serve(sink: str) -> None:
    headers = {"Authorization": "Bearer xoxb-bench-bench-bench"}
    async with ClientSession(connector=TCPConnector(limit_per_host=200), headers=headers) as session:

        async def forward(request: web.Request) -> web.Response:
            message = {"channel": "U0ANA", "text": (await request.json())["summary"]}
            async with session.post(f"{sink}/chat.postMessage", json=message) as answer:
                told = await answer.json()
            return web.json_response({"result": "accepted", "ts": told["ts"]}, status=202)

        application = web.Application()
        application.router.add_post("/api/v1/events", forward)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
