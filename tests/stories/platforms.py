"""Slack, Teams, a mailbox and a caller as the stories use them, each on a port of its own, and who is there."""

import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from bot.rehearsal.caller import Caller
from bot.rehearsal.failure import status
from bot.rehearsal.mail import Mailbox
from bot.rehearsal.platform import Platform
from bot.rehearsal.slack import SlackWorkspace
from bot.rehearsal.teams import TeamsTenant
from tests.patience import PATIENCE

T = TypeVar("T")

ANA, BEN, MIA, CLEO = "ana@example.com", "ben@example.com", "mia@example.com", "cleo@example.com"


def free_port() -> int:
    """One below those that systems give to connections by themselves: nobody else gets it before it is listened on."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Patient(Platform):
    """A platform that is waited for as long as a busy machine may take."""

    async def until(self, question: Callable[[], T | None], within: float = PATIENCE, what: str = "a change") -> T:
        return await super().until(question, max(within, PATIENCE), what)


class PatientSlack(Patient, SlackWorkspace):
    pass


class PatientTeams(Patient, TeamsTenant):
    pass


class PatientMailbox(Patient, Mailbox):
    pass


class PatientCaller(Patient, Caller):
    pass


@dataclass
class Platforms:
    """Slack, Teams, the mailbox and a caller, each on a port of its own."""

    slack: SlackWorkspace
    teams: TeamsTenant
    mail: Mailbox
    caller: Caller

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, *, limits: bool = False) -> AsyncIterator[Self]:
        async with (
            PatientSlack(limits=limits) as slack,
            PatientTeams(limits=limits) as teams,
            PatientMailbox() as mail,
            PatientCaller() as caller,
        ):
            for name, email in (("Ana", ANA), ("Cleo", CLEO)):
                slack.add_person(name, email)
            for name, email in (("Ben", BEN), ("Cleo", CLEO)):
                teams.add_person(name, email)
            yield cls(slack, teams, mail, caller)

    def settings(self, port: int) -> dict[str, str]:
        """What an owner would set to use these platforms."""
        teams_host = self.teams.service_url.split("/")[2]
        return {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "TEAMS_APP_ID": self.teams.app_id,
            "TEAMS_CLIENT_SECRET": self.teams.client_secret,
            "TEAMS_TENANT_ID": self.teams.tenant_id,
            "TEAMS_LOGIN_URL": self.teams.login_url,
            "TEAMS_OPENID_METADATA_URL": self.teams.openid_metadata_url,
            "TEAMS_SERVICE_URL_HOSTS": teams_host,
            "SMTP_HOST": self.mail.host,
            "SMTP_PORT": str(self.mail.port),
            "SMTP_FROM": "gatebell@example.com",
            "SMTP_TO": "room@example.com",
            "SMTP_SECURITY": "none",
            "ALERT_RECIPIENT_EMAIL": ANA,
            "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "GATEBELL_TEST_CLOCK": "on",
        }

    def hold_updates(self) -> None:
        """From now on nothing that lies before people can be changed, as while a platform is slow."""
        self.slack.fail(status(503), path="chat.update")
        self.teams.fail(status(503), part="connector", method="PUT")

    def call_back(self, address: str) -> None:
        """Tell the platforms where the product listens."""
        self.slack.events_url = f"{address}/slack/events"
        self.teams.messages_url = f"{address}/api/messages"
