"""The platforms with their people, and what the server has to be told to find them."""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any

from bot.rehearsal.caller import AgentEndpoint, Caller
from bot.rehearsal.demo.cast import ANA, CAST
from bot.rehearsal.mail import Mailbox
from bot.rehearsal.platform import Platform
from bot.rehearsal.slack import SlackWorkspace
from bot.rehearsal.teams import TeamsTenant
from bot.rehearsal.teams_screen import Chat

SENDER = "gatebell@example.com"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def reply(question: Any) -> str:
    """What the rehearsal agent answers to a message that somebody writes to the bot."""
    said = str(question.get("text", "")) if isinstance(question, dict) else ""
    return f"I am the demo's agent, and you said: *{said[:200]}*\n\nTry `help` to see what Gatebell itself answers."


class Stage:
    def __init__(self) -> None:
        self.slack = SlackWorkspace()
        self.teams = TeamsTenant()
        self.mail = Mailbox()
        self.caller = Caller()
        self.agent = AgentEndpoint(reply)
        self._open = AsyncExitStack()

    @property
    def platforms(self) -> tuple[Platform, ...]:
        return (self.slack, self.teams, self.mail, self.caller, self.agent)

    async def start(self) -> None:
        for platform in self.platforms:
            await self._open.enter_async_context(platform)
        for player in CAST:
            if player.in_slack:
                self.slack.add_person(player.name, player.email)
            if player.in_teams:
                self.teams.add_person(player.name, player.email)

    async def stop(self) -> None:
        await self._open.aclose()

    def meet(self, address: str) -> None:
        """From now on the platforms send what people do to the server at this address."""
        self.slack.events_url = f"{address}/slack/events"
        self.teams.messages_url = f"{address}/api/messages"

    @property
    def chats(self) -> list[Chat]:
        return [self.teams.chat(player.email) for player in CAST if player.in_teams]

    async def install(self) -> bool:
        """Adds the app to every chat in Teams that has none; false if the server did not take one of them."""
        missing = [chat for chat in self.chats if not chat.thread.installed]
        taken = await asyncio.gather(*(chat.install() for chat in missing))
        for chat, delivery in zip(missing, taken, strict=True):
            chat.thread.installed = delivery.acknowledged
        return all(delivery.acknowledged for delivery in taken)

    async def met(self, within: float = 5.0) -> None:
        """Returns once the server has asked who the people in the chats are, or when the time is over."""
        wanted = {chat.id for chat in self.chats}

        def asked() -> bool:
            return wanted <= {
                entry.path.split("/")[-2] for entry in self.teams.journal if entry.path.endswith("members")
            }

        with suppress(TimeoutError):
            await self.teams.until(asked, within)

    async def remove(self) -> None:
        """Removes the app from every chat in Teams at once."""
        await asyncio.gather(*(chat.remove() for chat in self.chats if chat.thread.installed))

    def settings(self) -> Mapping[str, str]:
        """What an owner would type into the settings for these platforms."""
        return {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "TEAMS_APP_ID": self.teams.app_id,
            "TEAMS_CLIENT_SECRET": self.teams.client_secret,
            "TEAMS_TENANT_ID": self.teams.tenant_id,
            "TEAMS_LOGIN_URL": self.teams.login_url,
            "TEAMS_OPENID_METADATA_URL": self.teams.openid_metadata_url,
            "TEAMS_TOKEN_ISSUER": self.teams.issuer,
            "TEAMS_SERVICE_URL_HOSTS": f"{self.teams.host}:{self.teams.port}",
            "SMTP_HOST": self.mail.host,
            "SMTP_PORT": str(self.mail.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": f"Gatebell <{SENDER}>",
            "ALERT_RECIPIENT_EMAIL": ANA.email,
            "AGENT_URL": self.agent.url,
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
            "ALLOWED_PRIVATE_HOSTS": self.caller.host,
        }
