"""The rehearsal's tokens against Microsoft's own validator: the right one passes, every forgery is refused."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession

from bot.rehearsal import failure
from bot.rehearsal.teams import TeamsTenant

SCOPE = "https://api.botframework.com/.default"


@pytest.fixture
async def teams() -> AsyncIterator[TeamsTenant]:
    async with TeamsTenant() as tenant:
        yield tenant


async def accepted_by_microsoft(teams: TeamsTenant, token: str) -> bool:
    """Asks botframework-connector in a thread, as it fetches keys with a blocking client; it refuses by raising."""

    async def ask() -> bool:
        outcome = await asyncio.gather(_claims(teams, token), return_exceptions=True)
        return bool(getattr(outcome[0], "is_authenticated", False))

    return await asyncio.to_thread(asyncio.run, ask())


async def _claims(teams: TeamsTenant, token: str) -> Any:
    from botframework.connector.auth import AuthenticationConfiguration, ChannelValidation, SimpleCredentialProvider
    from botframework.connector.auth.jwt_token_extractor import JwtTokenExtractor

    ChannelValidation.open_id_metadata_endpoint = teams.openid_metadata_url
    JwtTokenExtractor.metadataCache.clear()
    return await ChannelValidation.authenticate_channel_token_with_service_url(
        f"Bearer {token}",
        SimpleCredentialProvider(teams.app_id, ""),
        teams.service_url,
        "msteams",
        AuthenticationConfiguration(required_endorsements=[]),
    )


async def test_microsofts_validator_accepts_the_connectors_token(teams: TeamsTenant) -> None:
    assert await accepted_by_microsoft(teams, teams.token())


async def test_microsofts_validator_follows_a_rotated_key(teams: TeamsTenant) -> None:
    teams.keys.rotate()
    assert await accepted_by_microsoft(teams, teams.token())


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param({"alg": "none"}, id="alg none"),
        pytest.param({"alg": "HS256"}, id="HS256 with the public key"),
        pytest.param({"kid": "nobody"}, id="unknown kid"),
        pytest.param({"key": "stranger", "kid": "teams-1"}, id="another key under the right kid"),
        pytest.param({"key": "webchat-1"}, id="key not endorsed for Teams"),
        pytest.param({"exp": int(time.time()) - 600}, id="expired"),
        pytest.param({"nbf": int(time.time()) + 86_400}, id="not yet valid"),
        pytest.param({"aud": "somebody-else"}, id="wrong audience"),
        pytest.param({"iss": "https://sts.windows.net/x/"}, id="wrong issuer"),
        pytest.param({"serviceurl": "https://evil.example/"}, id="another serviceUrl"),
        pytest.param({"serviceurl": None}, id="no serviceUrl"),
    ],
)
async def test_microsofts_validator_refuses_a_forgery(teams: TeamsTenant, forgery: dict[str, Any]) -> None:
    assert not await accepted_by_microsoft(teams, teams.token(**forgery))


async def test_a_claim_can_be_left_out(teams: TeamsTenant) -> None:
    claims = jwt.decode(teams.token(exp=None), options={"verify_signature": False})
    assert "exp" not in claims


async def login(teams: TeamsTenant, tenant: str | None = None, **changed: str) -> tuple[int, dict[str, Any]]:
    form = {
        "grant_type": "client_credentials",
        "client_id": teams.app_id,
        "client_secret": teams.client_secret,
        "scope": SCOPE,
        **changed,
    }
    url = f"{teams.login_url}/{tenant or teams.tenant_id}/oauth2/v2.0/token"
    async with ClientSession() as session, session.post(url, data=form) as answer:
        return answer.status, await answer.json()


async def test_the_right_secret_gets_a_bearer_token(teams: TeamsTenant) -> None:
    status, body = await login(teams)
    assert (status, body["token_type"], body["expires_in"]) == (200, "Bearer", 3599)


@pytest.mark.parametrize(
    "changed, status, code",
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, 400, 700016),
        ({"tenant": "00000000-0000-4000-8000-000000000000"}, 400, 90002),
        ({"tenant": "botframework.com"}, 400, 700016),
        ({"scope": "https://graph.microsoft.com/.default"}, 400, 1002012),
        ({"grant_type": "password"}, 400, 70003),
    ],
)
async def test_entra_refuses_with_its_code(teams: TeamsTenant, changed: dict[str, str], status: int, code: int) -> None:
    answered, body = await login(teams, **changed)
    assert (answered, body["error_codes"]) == (status, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")


async def test_a_forgotten_service_principal_is_refused(teams: TeamsTenant) -> None:
    teams.app.has_service_principal = False
    status, body = await login(teams)
    assert (status, body["error_codes"]) == (400, [7000229])


async def test_the_login_fails_alone_and_the_keys_stay_up(teams: TeamsTenant) -> None:
    teams.fail(failure.error("AADSTS7000222"), part="login")
    status, body = await login(teams)
    assert (status, body["error_codes"]) == (401, [7000222])
    assert await accepted_by_microsoft(teams, teams.token())


async def test_the_journal_keeps_no_secret(teams: TeamsTenant) -> None:
    _, body = await login(teams)
    assert teams.client_secret not in repr(teams.journal)
    assert body["access_token"] not in repr(teams.journal)
