"""What the doctor asks about Microsoft Teams: each line with its cause and its mend."""

import asyncio
from collections.abc import Sequence
from importlib import import_module

from bot.channels.contract import CHECK_SECONDS, Check, DeliveryError, Reason
from bot.channels.teams_addresses import is_loopback
from bot.channels.teams_presence import Presence


async def checks(presence: Presence) -> Sequence[Check]:
    missing = presence.settings.missing
    if missing:
        mend = "Fill them in on the Microsoft Teams card; scripts/teams_bot_bootstrap.sh makes all three."
        return (Check("Teams settings", False, f"{', '.join(missing)} missing", mend),)
    login, keys, conversations = await asyncio.gather(_login(presence), _keys(presence), _conversations(presence))
    return (login, keys, _endpoint(presence), conversations)


async def _login(presence: Presence) -> Check:
    """The token itself waits three seconds at most."""
    try:
        await presence.token.fresh()
    except DeliveryError as error:
        refused = error.reason is Reason.UNAUTHORIZED
        mend = (
            "Correct it on the Microsoft Teams card; the right values are on the app's pages in Microsoft Entra."
            if refused
            else "Let this server reach the address in TEAMS_LOGIN_URL."
        )
        return Check("Teams login", False, error.detail, mend)
    return Check("Teams login", True)


async def _keys(presence: Presence) -> Check:
    keys = await asyncio.to_thread(import_module, "bot.channels.teams_keys")
    mend = "Let this server reach the address in TEAMS_OPENID_METADATA_URL; without the keys no click counts."
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await keys.Keys(presence.edge.http, presence.settings.metadata_url).renew()
    except DeliveryError as error:
        return Check("Teams signing keys", False, error.detail, mend)
    except TimeoutError:
        cause = f"the Bot Connector's key page did not answer within {CHECK_SECONDS:.0f} seconds"
        return Check("Teams signing keys", False, cause, mend)
    return Check("Teams signing keys", True)


def _endpoint(presence: Presence) -> Check:
    """Teams calls us, so it must be able to. A connector on this machine is."""
    local = any(is_loopback(host) for host, _ in presence.settings.hosts.own)
    if presence.edge.base_url.startswith("https://") or local:
        return Check("Teams messaging endpoint", True)
    cause = f"{presence.edge.base_url}/api/messages is not https, so Teams cannot call it"
    mend = "Set BASE_URL to the public https address, and give the Azure Bot that address with /api/messages behind it."
    return Check("Teams messaging endpoint", False, cause, mend)


async def _conversations(presence: Presence) -> Check:
    name, home = "Teams conversations", await presence.home.conversation()
    if not home and not await presence.conversations.places():
        mend = (
            "Upload the app package to Teams and add the app to a team, to a group chat or for yourself. If you have, "
            "Teams could not tell us: look at the messaging endpoint of the Azure Bot, remove the app and add it again."
        )
        return Check(name, False, "the app was not added to any team or chat yet", mend)
    place = await presence.conversations.place(home) if home else None
    try:
        presence.settings.hosts.allowed(place.service_url if place else presence.home.service_url)
    except ValueError as error:
        return Check(name, False, str(error), "Correct TEAMS_SERVICE_URL, or add the app to Teams again.")
    if place is not None and (place.removed or place.refused):
        mend = "Add the app there again, or empty TEAMS_CONVERSATION_ID."
        return Check(name, False, "the conversation of TEAMS_CONVERSATION_ID takes no messages of the bot", mend)
    return Check(name, True)


def when_silent(endpoint: str) -> str:
    """What an owner can do where no click comes in."""
    return (
        f"Azure portal → your bot → Configuration: the messaging endpoint must be {endpoint}, and Microsoft must be "
        "able to call that address. Under Channels, Microsoft Teams must be on."
    )
