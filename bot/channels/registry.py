"""The channels. A new one is a file beside this one and a line here; settings, test, chain and docs follow."""

from collections.abc import Iterable
from importlib import import_module

from bot.channels.contract import Channel, Field

CHANNELS: dict[str, str] = {
    "slack": "bot.channels.slack:Slack",
    "teams": "bot.channels.teams:Teams",
    "email": "bot.channels.email:Email",
    "webhook": "bot.channels.webhook:Webhook",
    "callback": "bot.channels.callback:Callback",
}


def channel_class(name: str) -> type[Channel]:
    """The class behind a name. Platform libraries are imported by it only when they are needed."""
    module, _, attribute = CHANNELS[name].partition(":")
    found: type[Channel] = getattr(import_module(module), attribute)
    return found


def fields() -> Iterable[Field]:
    """The settings of every channel, in the order of the registry."""
    for name in CHANNELS:
        yield from channel_class(name).fields
