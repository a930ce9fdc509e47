"""Who clicks or writes: by the object id of the signed activity, and by the address that the roster names now."""

import asyncio
import logging
from typing import Any

from botbuilder.schema import Activity

from bot.channels.contract import DeliveryError, Person, Reason
from bot.channels.teams_activity import subject_of, team_of
from bot.channels.teams_conversations import Member, member_of, without_thread
from bot.channels.teams_presence import Presence

log = logging.getLogger(__name__)

_LONGEST_QUESTION = 0.7


class People:
    """Asks the roster again after some minutes, because an address may have passed to another person since.

    What is remembered of an address counts for nothing here: while the roster is silent a person has none, and counts
    only where the object id is already known.
    """

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._asking: dict[str, asyncio.Task[Member | None]] = {}

    async def person(self, activity: Activity) -> Person:
        account = activity.from_property
        known = await self._presence.conversations.member(subject_of(activity))
        told = self._presence.told.lately(known.subject) if known else None
        told = told or await self.meet(activity, str(account.id))
        subject = subject_of(activity) or (told.subject if told else str(account.id))
        named = account.name or (known and known.name) or (told and told.name) or ""
        return Person("teams", subject, str(named), told.email if told and told.subject == subject else "")

    async def meet(self, activity: Activity, account: str) -> Member | None:
        """The roster's word, unless it takes so long that somebody waits for their click: then it counts next time."""
        asking = self._asking.get(account) or self._ask_beside(activity, account)
        done, _ = await asyncio.wait({asking}, timeout=_LONGEST_QUESTION)
        if not done:
            log.warning("Teams: the roster did not say in time who somebody is")
        return asking.result() if done else None

    def _ask_beside(self, activity: Activity, account: str) -> "asyncio.Task[Member | None]":
        asking = self._asking[account] = asyncio.create_task(self._ask(activity, account))
        asking.add_done_callback(lambda done: self._asked(account, done))
        return asking

    def _asked(self, account: str, done: "asyncio.Task[Member | None]") -> None:
        del self._asking[account]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be waiting any more

    async def _ask(self, activity: Activity, account: str) -> Member | None:
        try:
            entry = await self._entry(activity, account)
        except DeliveryError as error:
            log.warning("Teams: the roster did not say who somebody is: %s", error)
            return None
        member = member_of(entry, self._presence.settings.tenant, activity.service_url)
        return await self._presence.learn(member) if member else None

    async def _entry(self, activity: Activity, account: str) -> dict[str, Any]:
        """A channel's own roster may lack people of its team, and the team's those whom the channel is shared with."""
        connector, service_url, team = self._presence.connector, activity.service_url, team_of(activity)
        if team:
            try:
                return await connector.member(service_url, team, account)
            except DeliveryError as error:
                if error.reason not in {Reason.GONE, Reason.INVALID}:
                    raise
        return await connector.member(service_url, without_thread(str(activity.conversation.id)), account)
