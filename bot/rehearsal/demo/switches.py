"""The page's switches: each breaks a channel in a way in which it breaks in life."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.rehearsal import failure
from bot.rehearsal.demo.stage import Stage
from bot.rehearsal.platform import Json

WORKING = "working"


@dataclass(frozen=True, slots=True)
class Position:
    label: str
    meaning: str


POSITIONS: Mapping[str, Mapping[str, Position]] = {
    "slack": {
        WORKING: Position("Working", "Slack works again"),
        "down": Position("Down (500)", "Slack answers every call with 500"),
        "hanging": Position("Hanging", "Slack takes calls, never answers, and is given up after ten seconds"),
        "revoked": Position("Token revoked", "Slack says that the bot's token was revoked"),
    },
    "teams": {
        WORKING: Position("Working", "Teams works again"),
        "down": Position("Down (502)", "Teams answers every call with 502"),
        "hanging": Position("Hanging", "Teams takes calls, never answers, and is given up after ten seconds"),
        "revoked": Position("Secret expired", "Microsoft no longer takes the bot's secret"),
        "removed": Position("Bot removed", "Ana and Ben have removed the app from their chats"),
    },
    "mail": {
        WORKING: Position("Working", "The mail server works again"),
        "down": Position("Down (421)", "The mail server takes no mail and answers 421"),
    },
}


class Switches:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.now = dict.fromkeys(POSITIONS, WORKING)

    async def turn(self, channel: str, to: str) -> Position:
        """Raises LookupError for a switch or a position that there is not."""
        position = POSITIONS.get(channel, {}).get(to)
        if position is None:
            raise LookupError(f"there is no switch {channel!r} with a position {to!r}")
        was, self.now[channel] = self.now[channel], to
        platform = {"slack": self._stage.slack, "teams": self._stage.teams, "mail": self._stage.mail}[channel]
        platform.heal()
        if was == "removed":
            await self._stage.install()
        await self._break(channel, to)
        platform.changed()
        return position

    def shown(self) -> Json:
        """For the page: where each switch stands, and where it can stand."""
        return {
            channel: {
                "now": self.now[channel],
                "positions": {key: {"label": each.label, "meaning": each.meaning} for key, each in positions.items()},
            }
            for channel, positions in POSITIONS.items()
        }

    async def _break(self, channel: str, how: str) -> None:
        stage = self._stage
        match channel, how:
            case "slack", "down":
                stage.slack.fail(failure.status(500))
            case "slack", "hanging":
                stage.slack.fail(failure.hang())
            case "slack", "revoked":
                stage.slack.fail(failure.error("token_revoked"))
            case "teams", "down":
                stage.teams.fail(failure.status(502), part="connector")
            case "teams", "hanging":
                stage.teams.fail(failure.hang(), part="connector")
            case "teams", "revoked":
                stage.teams.fail(failure.error("invalid_client"), part="login")
                stage.teams.fail(failure.status(401), part="connector")
            case "teams", "removed":
                await stage.remove()
            case "mail", "down":
                stage.mail.fail(failure.status(421), path="RCPT")
