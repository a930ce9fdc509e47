import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web

from bot.app import Product, made
from bot.audit.ledger import Ledger
from bot.channels.registry import fields
from bot.keys import Keys, Scope
from bot.logs import Mask
from bot.operators import Operators
from bot.settings import load
from bot.store.migrate import bring_up_to_date
from interactions.model import Role

ASKED: dict[str, Any] = {
    "kind": "blocked_action",
    "payload": {"agent": "deploy-bot", "tool": "drive.delete", "arguments": {"path": "/reports"}},
    "audience": {"operators": ["ana@example.com"]},
}


class Api:
    """The whole product behind a real port, and a client for each key."""

    def __init__(self, product: Product, address: str, http: ClientSession) -> None:
        self.product = product
        now, store = product.clock.now, product.store
        ledger = Ledger(store, product.ledger_keys)
        self.operators = Operators(store, ledger, now)
        self._keys = Keys(store, ledger, now)
        self.address = address
        self.http = http
        self.keys: dict[str, str] = {}

    async def key(self, name: str, *scopes: Scope, operator: str | None = None) -> str:
        new = await self._keys.create(name, scopes, by="test", operator_id=operator)
        self.keys[name] = new.key
        return new.key

    async def call(self, method: str, path: str, key: str | None = "admin", **given: Any) -> ClientResponse:
        headers = {"Authorization": f"Bearer {self.keys.get(key, key)}"} if key else {}
        headers |= given.pop("headers", {})
        response = await self.http.request(method, self.address + path, headers=headers, **given)
        await response.read()
        return response

    async def ask(self, key: str = "agent", **changes: Any) -> dict[str, Any]:
        response = await self.call("POST", "/api/v1/interactions", key, json=ASKED | changes)
        assert response.status == 201, await response.text()
        asked: dict[str, Any] = await response.json()
        return asked

    async def decide(self, asked: dict[str, Any], choice: str = "approve", key: str = "ana") -> ClientResponse:
        return await self.call("POST", f"/api/v1/interactions/{asked['id']}/decide", key, json={"choice": choice})


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"GATEBELL_TEST_CLOCK": "on", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1", "SMTP_FROM": "bell@example.com"}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its tables: migrating once is enough for every test here."""
    path = tmp_path_factory.mktemp("migrated") / "gatebell.db"
    asyncio.run(bring_up_to_date(f"sqlite:///{path}"))
    return path


@pytest.fixture
async def api(tmp_path: Path, environ: dict[str, str], migrated: Path) -> AsyncIterator[Api]:
    settings = load(fields(), environ, tmp_path / "data", tmp_path)
    shutil.copy(migrated, tmp_path / "data" / "gatebell.db")
    async with made(settings, Mask()) as product, ClientSession() as http:
        runner = web.AppRunner(product.web)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made_api = Api(product, f"http://127.0.0.1:{runner.addresses[0][1]}", http)
        ana = await made_api.operators.add("ana@example.com", "Ana", Role.ADMIN, by="test")
        ben = await made_api.operators.add("ben@example.com", "Ben", by="test")
        await made_api.key("admin", Scope.ADMIN)
        await made_api.key("agent", Scope.INTERACTIONS_WRITE, Scope.EVENTS_WRITE)
        await made_api.key("other", Scope.INTERACTIONS_WRITE)
        await made_api.key("ana", Scope.INTERACTIONS_WRITE, operator=ana.id)
        await made_api.key("ben", Scope.INTERACTIONS_WRITE, operator=ben.id)
        yield made_api
        product.state.closing = True
        await runner.cleanup()
