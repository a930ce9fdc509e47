"""The steps of the first run, and which of them were left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.admin.site import Faces
from bot.channels.contract import CALLER_CHANNEL, Channel
from bot.settings import DEFAULT, Settings
from bot.store import Tx


@dataclass(frozen=True, slots=True)
class Step:
    """`name` is its address under /setup, `short` what the list of steps calls it; `todo` and `do` ask for it later."""

    name: str
    short: str
    title: str
    todo: str = ""
    do: str = ""


STEPS = (
    Step(
        "address",
        "Address",
        "Public address",
        "The public address is not set: links in messages lead to {address}, which others cannot open.",
        "Set the public address",
    ),
    Step(
        "channel",
        "Channel",
        "A channel",
        "No channel of the chain is set up, so nobody can be told.",
        "Set up a channel",
    ),
    Step("test", "Test", "A test", "No message has reached anybody yet.", "Send yourself a test"),
    Step("done", "Done", "Done"),
)


async def left_out(faces: Faces) -> tuple[Step, ...]:
    """The steps that were not taken, or not to their end."""
    arrived = await faces.store.read(_arrived)
    taken = {
        "address": has_address(faces.settings.now),
        "channel": tells(faces),
        "test": arrived,
        "done": True,
    }
    return tuple(step for step in STEPS if not taken[step.name])


def tells(faces: Faces) -> bool:
    """Whether a channel of the chain is set up: the others are asked for nothing by themselves."""
    return any(name in faces.settings.now.chain for name in offers(faces, ready=True))


def has_address(settings: Settings) -> bool:
    return settings.sources.get("BASE_URL", DEFAULT) != DEFAULT


def offers(faces: Faces, *, ready: bool = False) -> Mapping[str, Channel]:
    """The channels that reach people, as the chain orders them; the others after them."""
    chain, known = faces.settings.now.chain, faces.channels()
    names = [*(name for name in chain if name in known), *(name for name in known if name not in chain)]
    found = {name: known[name] for name in names if name != CALLER_CHANNEL}
    return {name: channel for name, channel in found.items() if not ready or not channel.missing()}


async def _arrived(tx: Tx) -> bool:
    """Whether any copy ever lay before a person."""
    sql = "SELECT 1 AS found FROM delivery WHERE shown >= 0 AND channel <> :caller LIMIT 1"
    return await tx.row(sql, {"caller": CALLER_CHANNEL}) is not None
