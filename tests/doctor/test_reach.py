"""The public address: its name, its certificate and where it leads, tried on real servers with real certificates."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.channels.contract import Check
from bot.doctor.examination import examine_address
from bot.rehearsal.certificates import server_context
from tests.conftest import environment
from tests.doctor.examined import patient_of
from tests.doctor.test_command import doctor
from tests.stories.world import Platforms, World, free_port, installed


async def somebody_else(_: web.Request) -> web.StreamResponse:
    return web.Response(text="It works!")


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext | None = None, answer: Any = somebody_else) -> AsyncIterator[int]:
    """A server on loopback; its port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Path]:
    """A folder for certificates whose authority this process trusts, once there are some."""
    with environment("SSL_CERT_FILE", str(tmp_path / "ca.pem")):
        yield tmp_path


async def seen(platforms: Platforms, data: Path, base_url: str) -> list[Check]:
    """What the doctor says of this public address."""
    changed: dict[str, Any] = {"BASE_URL": base_url}
    async with installed(platforms, data, install_teams=False, **changed) as world:
        return list((await examine_address(patient_of(world))).checks)


@pytest.mark.parametrize(
    "flaw, cause, mend",
    [
        ({"signs_itself": True}, "no authority vouches for the certificate", "fullchain.pem"),
        ({"days": -1}, "the certificate has expired", "Renew it"),
        ({"name": "gate.example"}, "the certificate is for another name than localhost", "correct BASE_URL"),
        ({"days": 3.5}, "the certificate ends in 3 days", "Renew it"),
    ],
    ids=["vouches for itself", "expired", "another name", "ends soon"],
)
async def test_a_certificate_with_a_flaw_is_named_with_its_mend(
    platforms: Platforms, data: Path, authority: Path, flaw: dict[str, Any], cause: str, mend: str
) -> None:
    async with serving(server_context(authority, **flaw)) as port:
        checks = await seen(platforms, data, f"https://localhost:{port}")
    assert [(each.name, each.ok) for each in checks] == [("DNS", True), ("TLS", False)]
    assert (cause in checks[-1].cause, mend in checks[-1].mend) == (True, True), checks[-1]


async def test_an_authority_that_nobody_knows_here_is_named(platforms: Platforms, data: Path, tmp_path: Path) -> None:
    async with serving(server_context(tmp_path)) as port:
        checks = await seen(platforms, data, f"https://localhost:{port}")
    assert "authority is unknown here, or its chain is not whole" in checks[-1].cause
    assert "fullchain.pem" in checks[-1].mend


async def test_https_where_nothing_speaks_tls_is_named(platforms: Platforms, data: Path) -> None:
    async with serving() as port:
        checks = await seen(platforms, data, f"https://localhost:{port}")
    assert checks[-1].cause == f"what answers at localhost:{port} does not speak TLS"
    assert "put a proxy with a certificate there" in checks[-1].mend


async def test_a_good_certificate_of_somebody_else_does_not_make_it_ours(
    platforms: Platforms, data: Path, authority: Path
) -> None:
    async with serving(server_context(authority)) as port:
        code, said = await doctor_of(platforms, data, authority, port)
    assert code == 1
    assert "the certificate holds for 30 more days" in said
    assert f"something else answers at https://localhost:{port} (HTTP 200)" in " ".join(said.split())


async def test_a_proxy_with_a_good_certificate_in_front_of_us_is_well(world: World, authority: Path) -> None:
    async def pass_on(request: web.Request) -> web.StreamResponse:
        async with world.http.get(f"{world.address}{request.rel_url}") as answer:
            return web.Response(body=await answer.read(), status=answer.status)

    settings = world.product.settings.now
    async with serving(server_context(authority), pass_on) as port:
        told = world.platforms.settings(settings.port)
        given = {**told, "BASE_URL": f"https://localhost:{port}", "SSL_CERT_FILE": str(authority / "ca.pem")}
        code, said = await doctor(settings.data_dir, **given)
    assert code == 0, said
    assert "Reaches us" in said


async def doctor_of(platforms: Platforms, data: Path, authority: Path, port: int) -> tuple[int, str]:
    """The doctor as a process that trusts this authority."""
    given = {**platforms.settings(free_port()), "BASE_URL": f"https://localhost:{port}"}
    return await doctor(data, **given, SSL_CERT_FILE=str(authority / "ca.pem"))


async def test_a_name_that_does_not_resolve_is_named(platforms: Platforms, data: Path) -> None:
    [check] = await seen(platforms, data, "https://gate.invalid")
    assert (check.name, check.ok) == ("DNS", False)
    assert "gate.invalid has no address in DNS" in check.cause


async def test_an_address_at_which_nobody_listens_is_named_in_plain_words(platforms: Platforms, data: Path) -> None:
    checks = await seen(platforms, data, f"https://127.0.0.1:{free_port()}")
    assert checks[-1].cause.endswith("does not answer: Connection refused")
