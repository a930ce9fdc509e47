"""The outermost layer: what is no fault of ours is in no log as one."""

import logging
import shutil
from pathlib import Path

import pytest
from aiohttp import ClientSession, ServerDisconnectedError, web

from bot.app import made
from bot.channels.registry import fields
from bot.logs import Mask
from bot.settings import load


async def left(request: web.Request) -> web.Response:
    """Whoever asked goes away while they are answered; what is written then fails before the loop has noticed."""
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError("Cannot write to closing transport")


@pytest.mark.parametrize("path", ["/left", "/api/v1/left"])
async def test_whoever_leaves_in_the_middle_of_an_answer_is_no_fault_of_ours(
    tmp_path: Path, environ: dict[str, str], migrated: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    settings = load(fields(), environ, tmp_path / "data", tmp_path)
    shutil.copy(migrated, tmp_path / "data" / "gatebell.db")
    async with made(settings, Mask()) as product, ClientSession() as http:
        product.web.router.add_get(path, left)
        runner = web.AppRunner(product.web)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with pytest.raises(ServerDisconnectedError):
            await http.get(f"http://127.0.0.1:{runner.addresses[0][1]}{path}", headers={"Accept": "text/html"})
        product.state.closing = True
        await runner.cleanup()
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []
