"""Whose workspace and app this is, and who the people in it are."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.channels.contract import DeliveryError, Memory, Person, Reason
from bot.channels.slack_web import Web

_PROFILE_SECONDS = 300.0
_MOST_PROFILES = 5000
ACTIVE_SECONDS = 900.0  # for so long after Slack said that somebody is there, it is believed
_ACTIVE_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Home:
    """Where the bot lives: one workspace, or, where the app is installed for all of it, an organisation."""

    team: str
    bot_user: str
    bot: str = ""
    enterprise: str = ""

    def is_home(self, team: str, organisation: str = "") -> bool:
        return any(each and each in {self.team, self.enterprise} for each in (team, organisation))


@dataclass(slots=True)
class Workspace:
    """Learns the home once, and people when they are met; profiles are asked again after five minutes."""

    web: Web
    memory: Memory
    now: Callable[[], datetime]
    app: str = ""  # empty until Slack has told it
    _home: Home | None = None
    _profiles: dict[str, tuple[float, Mapping[str, Any]]] = field(default_factory=dict)
    _addresses: dict[str, str] = field(default_factory=dict)
    _active: dict[str, float] = field(default_factory=dict)
    _learning: asyncio.Lock = field(default_factory=asyncio.Lock)

    # ---- the home ----------------------------------------------------------------------------------------------------

    async def home(self) -> Home:
        """Raises DeliveryError while Slack cannot be asked."""
        if self._home is None:
            async with self._learning:
                if self._home is None:
                    self._home = await self._learn()
        return self._home

    async def _learn(self) -> Home:
        told = await self.web.call("auth.test")
        organisation = str(told.get("enterprise_id") or "") if told.get("is_enterprise_install") else ""
        home = Home(
            team="" if organisation else str(told.get("team_id") or ""),
            bot_user=str(told.get("user_id") or ""),
            bot=str(told.get("bot_id") or ""),
            enterprise=organisation,
        )
        self.app = await self._known_app(home) or self.app
        return home

    async def _known_app(self, home: Home) -> str:
        kept = await self.memory.get(_app_key(home))
        if isinstance(kept, str) and kept:
            return kept
        try:
            bot = (await self.web.call("bots.info", bot=home.bot)).get("bot") if home.bot else None
        except DeliveryError:
            return ""  # our own first message, the socket's greeting or a first signed click will tell it
        app = str(bot.get("app_id") or "") if isinstance(bot, dict) else ""
        if app:
            await self.memory.put(_app_key(home), app)
        return app

    async def pin_app(self, app: str) -> None:
        """The first id that Slack itself told stays: in a socket's greeting, our own message, or a signed request."""
        if app and not self.app:
            self.app = app
            if self._home is not None:
                await self.memory.put(_app_key(self._home), app)

    # ---- people ------------------------------------------------------------------------------------------------------

    async def person(self, user: str, team: str) -> Person:
        """Who clicked or wrote. A stranger's address is withheld: guests, bots, other workspaces, whoever was removed.

        While Slack cannot be asked, the person has no address, and counts only where the id is already known.
        """
        home = await self.home()
        try:
            profile = await self._profile(user)
        except DeliveryError:
            profile = {}
        about = profile.get("profile") or {}
        name = str(about.get("real_name") or profile.get("real_name") or profile.get("name") or "")
        email = str(about.get("email") or "") if _is_member(profile, home, team) else ""
        return Person("slack", f"{team or home.team}:{user}", name, email)

    async def _profile(self, user: str) -> Mapping[str, Any]:
        found = self._profiles.get(user)
        if found is not None and time.monotonic() - found[0] < _PROFILE_SECONDS:
            return found[1]
        answer = (await self.web.call("users.info", user=user)).get("user")
        profile = answer if isinstance(answer, dict) else {}
        if len(self._profiles) >= _MOST_PROFILES:
            self._profiles.clear()
        self._profiles[user] = (time.monotonic(), profile)
        return profile

    async def is_there(self, user: str) -> bool:
        """Whether this person can still sign in to Slack, which takes messages to whoever was deactivated all the same.

        While Slack does not say so, they are. https://github.com/slackapi/python-slack-sdk/issues/1156
        """
        if self.now().timestamp() - self._active.get(user, 0.0) < ACTIVE_SECONDS:
            return True
        try:
            async with asyncio.timeout(_ACTIVE_PATIENCE):
                found = (await self.web.call("users.info", user=user)).get("user")
        except (DeliveryError, TimeoutError):
            return True
        if isinstance(found, dict) and found.get("deleted"):
            return False
        self._was_there(user)
        return True

    def _was_there(self, user: str) -> None:
        if len(self._active) >= _MOST_PROFILES:
            self._active.clear()
        self._active[user] = self.now().timestamp()

    # ---- addresses ---------------------------------------------------------------------------------------------------

    async def address(self, email: str, *, fresh: bool = False) -> str:
        """The member with this e-mail address, as it is remembered or, `fresh`, is now. Raises DeliveryError."""
        key = _address_key(email)
        if fresh:
            return await self._look_up(email, key)
        if key in self._addresses:
            return self._addresses[key]
        kept = await self.memory.get(key)
        if isinstance(kept, str) and kept:
            self._addresses[key] = kept
            return kept
        return await self._look_up(email, key)

    async def _look_up(self, email: str, key: str) -> str:
        user = (await self.web.call("users.lookupByEmail", email=email)).get("user")
        found = user if isinstance(user, dict) else {}
        if not found.get("id") or found.get("deleted") or found.get("is_bot"):
            raise DeliveryError(Reason.NO_ADDRESS, f"users.lookupByEmail: {email} is not an active member")
        address = str(found["id"])
        self._was_there(address)
        self._addresses[key] = address
        await self.memory.put(key, address)
        return address

    async def forget_address(self, email: str) -> None:
        self._addresses.pop(_address_key(email), None)
        await self.memory.forget(_address_key(email))


def _is_member(profile: Mapping[str, Any], home: Home, team: str) -> bool:
    """Whether Slack vouches for this person as a full member of our own workspace; `team` is what the request named."""
    if any(profile.get(mark) for mark in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")):
        return False
    # In an organisation, one person belongs to several workspaces and names one of them as home.
    enterprise = profile.get("enterprise_user") or {}
    belongs = (enterprise.get("enterprise_id") or "", *(enterprise.get("teams") or []))
    if any(home.is_home(str(each)) for each in belongs):
        return True
    named = [each for each in (str(profile.get("team_id") or ""), team) if each]
    return bool(named) and all(map(home.is_home, named))


def _address_key(email: str) -> str:
    return f"slack:user:{email.strip().casefold()}"


def _app_key(home: Home) -> str:
    return f"slack:app:{home.team}:{home.bot}"
