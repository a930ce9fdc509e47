"""Entra's token endpoint, as far as a single-tenant bot needs it."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jwt
from aiohttp import web

from bot.rehearsal.platform import Json
from bot.rehearsal.teams_keys import rsa_key

SCOPE = "https://api.botframework.com/.default"
GATEWAY_TENANT = "botframework.com"
ID_FOR_VALUE = (
    "Invalid client secret provided. "
    "Ensure the secret being sent in the request is the client secret value, not the client secret ID."
)
REFUSALS = {
    "AADSTS7000215": (401, "invalid_client", ID_FOR_VALUE),
    "AADSTS7000222": (401, "invalid_client", "The provided client secret keys are expired."),
    "AADSTS7000216": (401, "invalid_client", "'client_assertion', 'client_secret' or 'request' is required."),
    "AADSTS700016": (400, "unauthorized_client", "Application was not found in the directory."),
    "AADSTS7000229": (400, "unauthorized_client", "The client application is missing service principal in the tenant."),
    "AADSTS90002": (400, "invalid_request", "Tenant not found. Check to make sure you have the correct tenant ID."),
    "AADSTS900144": (400, "invalid_request", "The request body must contain the following parameter: 'client_id'."),
    "AADSTS70003": (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    "AADSTS1002012": (400, "invalid_scope", "The provided value for scope is not valid."),
}  # fmt: skip


@dataclass(slots=True)
class TeamsApp:
    """The bot's registration in its tenant; set `has_service_principal` to False to play a forgotten step."""

    app_id: str = "11111111-2222-4333-8444-555555555555"
    tenant_id: str = "99999999-8888-4777-8666-555555555555"
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(30))
    name: str = "Gatebell"
    has_service_principal: bool = True

    @property
    def bot_id(self) -> str:
        return f"28:{self.app_id}"


class Login:
    def __init__(self, app: TeamsApp, clock: Callable[[], float], lifetime: int) -> None:
        self.app = app
        self.lifetime = lifetime
        self._clock = clock
        self._runs_out: dict[str, float] = {}
        self.issued = 0

    async def token(self, request: web.Request) -> web.StreamResponse:
        form = {key: str(value) for key, value in (await request.post()).items()}
        problem = self._problem(request.match_info["tenant"], form)
        if problem is not None:
            status, body = self.refusal(problem)
            return web.json_response(body, status=status)
        return web.json_response({
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "ext_expires_in": self.lifetime,
            "access_token": self._new_token(),
        })  # fmt: skip

    def _problem(self, tenant: str, form: dict[str, str]) -> str | None:
        app = self.app
        checks = (
            ("AADSTS90002", tenant not in {app.tenant_id, GATEWAY_TENANT}),
            ("AADSTS70003", form.get("grant_type") != "client_credentials"),
            ("AADSTS900144", not form.get("client_id")),
            ("AADSTS700016", form.get("client_id") != app.app_id or tenant == GATEWAY_TENANT),
            ("AADSTS7000229", not app.has_service_principal),
            ("AADSTS7000216", not form.get("client_secret")),
            ("AADSTS7000215", form.get("client_secret") != app.client_secret),
            ("AADSTS1002012", form.get("scope") != SCOPE),
        )
        return next((code for code, wrong in checks if wrong), None)

    def refusal(self, code: str) -> tuple[int, Json]:
        status, error, words = REFUSALS.get(code, (400, "invalid_request", "The request was refused."))
        at = datetime.fromtimestamp(self._clock(), UTC)
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        traced = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at:%FT%TZ}"
        return status, {
            "error": error,
            "error_description": f"{code}: {words} {traced}",
            "error_codes": [int(code.removeprefix("AADSTS"))] if code.startswith("AADSTS") else [],
            "timestamp": f"{at:%F %TZ}",
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={code.removeprefix('AADSTS')}",
        }

    def _new_token(self) -> str:
        now = self._clock()
        claims = {
            "aud": "https://api.botframework.com",
            "iss": f"https://sts.windows.net/{self.app.tenant_id}/",
            "iat": int(now),
            "exp": int(now) + self.lifetime,
            "appid": self.app.app_id,
            "tid": self.app.tenant_id,
            "uti": secrets.token_urlsafe(16),
        }
        token = jwt.encode(claims, rsa_key("login-1"), algorithm="RS256", headers={"kid": "login-1"})
        self._runs_out[token] = now + self.lifetime
        self.issued += 1
        return token

    def accepts(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._runs_out.get(token, 0) > self._clock()

    def forget_tokens(self) -> None:
        """Every token that is out becomes worthless, as after a revocation."""
        self._runs_out.clear()
