"""Who calls us: the Bot Connector's signing keys, cached, and the one check of its tokens."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import ClientError, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from yarl import URL

from bot.channels.contract import DeliveryError, Reason
from bot.channels.teams_addresses import service_url
from bot.channels.teams_errors import transport_error
from bot.channels.teams_settings import TeamsSettings
from bot.channels.way_in import Doubt

log = logging.getLogger(__name__)

SKEW_SECONDS = 300
_TIMEOUT = ClientTimeout(total=5, sock_connect=3)
_STALE = 24 * 3600.0
_RENEW = 12 * 3600.0
_PAUSE = 5.0
_SMALLEST_KEY = 2048


class Unsigned(Exception):
    """The call is not the Bot Connector's. The words are for the audit and the log.

    `doubt` is set where Microsoft did sign it, so that a setting of ours is what is wrong.
    """

    def __init__(self, words: str, doubt: Doubt | None = None) -> None:
        super().__init__(words)
        self.doubt = doubt


class KeysUnknown(Exception):
    """Nobody can be told from anybody: there were never any keys."""


@dataclass(frozen=True, slots=True)
class Key:
    public: RSAPublicKey
    endorsements: frozenset[str]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of the Bot Connector vouches for."""

    service_url: str
    endorsements: frozenset[str]
    every: dict[str, Any]


class Keys:
    """Fetched without holding up anybody else, kept for a day, and longer while no newer ones can be had."""

    def __init__(self, http: Callable[[], ClientSession], metadata_url: str) -> None:
        self._http = http
        self._metadata_url = metadata_url
        self._keys: dict[str, Key] = {}
        self._at = 0.0
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, kid: str) -> Key | None:
        now = _seconds()
        stale = now - self._at > _STALE
        if (kid not in self._keys or stale) and (self._fetching is not None or now - self._tried_at > _PAUSE):
            try:
                await self.renew()
            except DeliveryError as error:
                log.warning("Teams: no signing keys: %s", error.detail)
        if not self._keys:
            raise KeysUnknown
        return self._keys.get(kid)

    async def renew(self) -> int:
        """Fetches the keys; how many there are. Raises DeliveryError."""
        if self._fetching is None:
            self._tried_at = _seconds()
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        await asyncio.shield(self._fetching)
        return len(self._keys)

    async def keep(self) -> None:
        """Renews the keys before a call would have to wait for them, until cancelled."""
        while True:
            try:
                await self.renew()
                await asyncio.sleep(_RENEW)
            except DeliveryError as error:
                log.warning("Teams: no signing keys: %s", error.detail)
                await asyncio.sleep(60.0)

    def _fetched(self, task: asyncio.Task[None]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may be waiting any more

    async def _fetch(self) -> None:
        metadata = await self._json(self._metadata_url)
        keys = await self._json(self._keys_url(metadata))
        found = {kid: key for kid, key in map(_key, _listed(keys)) if key is not None}
        if not found:
            raise DeliveryError(Reason.UNAVAILABLE, "the Bot Connector's key page holds no usable key")
        self._keys, self._at = found, _seconds()

    def _keys_url(self, metadata: Any) -> str:
        """Only on the host that the owner named: nothing else may say who the Bot Connector is."""
        named = metadata.get("jwks_uri") if isinstance(metadata, dict) else None
        try:
            url = service_url(str(named))
        except ValueError:
            url = None
        if url is None or url.raw_host != URL(self._metadata_url).raw_host:
            raise DeliveryError(Reason.UNAVAILABLE, "the Bot Connector's metadata does not say where its keys are")
        return str(url)

    async def _json(self, url: str) -> Any:
        try:
            async with self._http().get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
                if response.status != 200:
                    raise DeliveryError(Reason.UNAVAILABLE, f"the Bot Connector's key page answered {response.status}")
                return json.loads(await response.read())
        except (ClientError, OSError, ValueError, RecursionError) as error:
            raise transport_error(error, "the Bot Connector's key page") from None


async def claims_of(authorization: str, keys: Keys, settings: TeamsSettings) -> Claims:
    """What the token in this header vouches for. Raises Unsigned, or KeysUnknown.

    Whether it is still good is asked of the machine's own clock: the token lives in Microsoft's time.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or token.count(".") != 2:
        raise Unsigned("no token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unsigned("a malformed token") from None
    key = await keys.get(str(header.get("kid", "")))
    if key is None:
        raise Unsigned("a token signed with an unknown key")
    claims = _verified(token, key, settings)
    return Claims(str(claims.get("serviceurl") or ""), key.endorsements, claims)


def _verified(token: str, key: Key, settings: TeamsSettings) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=["RS256"],
            audience=settings.app_id,
            issuer=settings.issuer,
            leeway=SKEW_SECONDS,
            options={"require": ["exp", "iss", "aud"], "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Unsigned(f"a token that does not hold: {type(error).__name__}", _doubt_about(error)) from None
    return claims


def _doubt_about(error: Exception) -> Doubt | None:
    """These are looked at after the signature, and found wrong in what Microsoft itself has signed."""
    match error:
        case jwt.InvalidAudienceError():
            mend = "Copy the app id of the Azure Bot whose messaging endpoint leads here; no other bot may use it."
            return Doubt("TEAMS_APP_ID is wrong, the calls are meant for another app", mend)
        case jwt.InvalidIssuerError():
            return Doubt("TEAMS_TOKEN_ISSUER is wrong, another cloud signs the calls", "Set it to this cloud's issuer.")
        case jwt.ExpiredSignatureError() | jwt.ImmatureSignatureError():
            mend = "Switch time synchronisation (NTP) on: Microsoft's tokens count for an hour."
            return Doubt("by this machine's clock the token is not valid now", mend)
        case _:
            return None


def _listed(keys: Any) -> list[dict[str, Any]]:
    listed = keys.get("keys") if isinstance(keys, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _key(published: dict[str, Any]) -> tuple[str, Key | None]:
    kid = published.get("kid")
    endorsements = published.get("endorsements")
    if not isinstance(kid, str) or published.get("kty") != "RSA" or published.get("use", "sig") != "sig":
        return "", None
    try:
        public = RSAAlgorithm.from_jwk(published)
    except (jwt.PyJWTError, ValueError, TypeError):
        return "", None
    if not isinstance(public, RSAPublicKey) or public.key_size < _SMALLEST_KEY:
        return "", None
    return kid, Key(public, frozenset(map(str, endorsements)) if isinstance(endorsements, list) else frozenset())


def _seconds() -> float:
    return asyncio.get_running_loop().time()
