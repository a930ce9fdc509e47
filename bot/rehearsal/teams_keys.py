"""Who the Bot Connector is: its signing keys, the pages that publish them, and tokens, right ones and forged ones."""

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.rehearsal.platform import Json

ISSUER = "https://api.botframework.com"
LIFETIME = 3600
OPENID_PATH = "/v1/.well-known/openidconfiguration"
KEYS_PATH = "/v1/.well-known/keys"


@functools.cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name and process: making them takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class ConnectorKeys:
    """`teams-1` signs; `webchat-1` is published too, but not endorsed for Teams; any other name is a stranger's."""

    def __init__(self, origin: Callable[[], str], clock: Callable[[], float], app_id: str) -> None:
        self._origin = origin
        self._clock = clock
        self._app_id = app_id
        self.signing = "teams-1"
        self.published: dict[str, Sequence[str]] = {"teams-1": ("msteams",), "webchat-1": ("webchat",)}

    def rotate(self) -> None:
        """From now on another key signs; the old one stays published, as Microsoft does for some days."""
        self.signing = f"teams-{len(self.published) + 1}"
        self.published[self.signing] = ("msteams",)

    async def openid(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": f"{self._origin()}{KEYS_PATH}",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        })  # fmt: skip

    async def jwks(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"keys": [_jwk(kid, endorsed) for kid, endorsed in self.published.items()]})

    def token(
        self,
        *,
        serviceurl: str | None,
        key: str | None = None,
        kid: str | None = None,
        alg: str = "RS256",
        **claims: Any,
    ) -> str:
        """The connector's token; a claim given as None is left out; `key` signs, `kid` is what the header says."""
        now = int(self._clock())
        right: Json = {
            "serviceurl": serviceurl,
            "nbf": now - 60,
            "exp": now + LIFETIME,
            "iss": ISSUER,
            "aud": self._app_id,
        }
        chosen = {name: value for name, value in {**right, **claims}.items() if value is not None}
        signer = key or self.signing
        header = {"typ": "JWT", "alg": alg, "kid": kid or signer, "x5t": kid or signer}
        if alg in {"none", "HS256"}:
            return _forged(header, chosen, rsa_key(signer))
        return jwt.encode(chosen, rsa_key(signer), algorithm=alg, headers=header)


def _forged(header: Json, claims: Json, key: rsa.RSAPrivateKey) -> str:
    """No signature at all, or an HMAC with the public key: libraries refuse to make these, attackers do not."""
    signed = f"{_segment(header)}.{_segment(claims)}"
    if header["alg"] == "none":
        return f"{signed}."
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"{signed}.{_url64(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"


def _jwk(kid: str, endorsements: Sequence[str]) -> Json:
    numbers = rsa_key(kid).public_key().public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "kid": kid,
        "x5t": kid,
        "n": _url64(numbers.n.to_bytes(256, "big")),
        "e": _url64(numbers.e.to_bytes(3, "big")),
        "endorsements": list(endorsements),
    }


def _segment(part: Json) -> str:
    return _url64(json.dumps(part).encode())


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
