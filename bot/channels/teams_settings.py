"""What an owner sets for Microsoft Teams, checked, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self
from uuid import UUID

from bot.channels.contract import Field
from bot.channels.teams_addresses import ServiceHosts, own_url, service_url

LOGIN_URL = "https://login.microsoftonline.com"
METADATA_URL = "https://login.botframework.com/v1/.well-known/openidconfiguration"
ISSUER = "https://api.botframework.com"
# A government cloud's bots ask for their own connector; its issuer says which one it is.
_SCOPES = {"https://api.botframework.us": "https://api.botframework.us/.default"}
_SCOPE = "https://api.botframework.com/.default"
# Microsoft's address for every region, for a conversation whose own one is not known.
ANY_REGION = "https://smba.trafficmanager.net/teams/"


def guid(value: str) -> str:
    bare = value.strip()
    try:
        return str(UUID(bare)) if bare else ""
    except ValueError:
        raise ValueError("This must be a GUID such as 11111111-2222-3333-4444-555555555555.") from None


def client_secret(value: str) -> str:
    """The value of the secret. Its id is the usual mistake: both stand side by side in the portal."""
    bare = value.strip()
    try:
        UUID(bare)
    except ValueError:
        return bare
    raise ValueError("This is the secret's id. The portal shows the secret's value beside it, once, when it is made.")


def conversation(value: str) -> str:
    bare = value.strip()
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in bare):
        raise ValueError("A conversation id holds no spaces; it looks like 19:…@thread.tacv2 or a:….")
    return bare


def typed_service_url(value: str) -> str:
    bare = value.strip()
    return str(service_url(bare)).rstrip("/") + "/" if bare else ""


def hosts(value: str) -> str:
    ServiceHosts.parse(value)
    return ",".join(part.strip() for part in value.split(",") if part.strip())


_FIELDS = (
    Field(
        "TEAMS_APP_ID",
        "Application (client) ID of the bot's app registration",
        required=True,
        check=guid,
        mend="Copy “Application (client) ID” from the app's overview in Microsoft Entra.",
    ),
    Field(
        "TEAMS_CLIENT_SECRET",
        "Client secret of the app registration",
        secret=True,
        required=True,
        check=client_secret,
        mend="Make a new client secret under “Certificates & secrets” and copy its value.",
    ),
    Field(
        "TEAMS_TENANT_ID",
        "Directory (tenant) ID; nobody of another tenant is heard",
        required=True,
        check=guid,
        mend="Copy “Directory (tenant) ID” from the app's overview in Microsoft Entra.",
    ),
    Field(
        "TEAMS_CONVERSATION_ID",
        "Where posts for the room go; fills itself when the app is added to a team, a group or a person's chats",
        check=conversation,
        mend="Add the app to a team or a group chat instead of typing this.",
        room=True,
    ),
    Field(
        "TEAMS_SERVICE_URL",
        "Where the Bot Connector takes posts for that conversation; fills itself too",
        check=typed_service_url,
        mend="Add the app to a team or a group chat instead of typing this.",
    ),
    Field(
        "TEAMS_LOGIN_URL",
        "Microsoft's login, for other clouds",
        default=LOGIN_URL,
        check=own_url,
        mend=f"Leave it out, or give an address such as {LOGIN_URL}.",
    ),
    Field(
        "TEAMS_OPENID_METADATA_URL",
        "Where the Bot Connector publishes its signing keys",
        default=METADATA_URL,
        check=own_url,
        mend=f"Leave it out, or give an address such as {METADATA_URL}.",
    ),
    Field("TEAMS_TOKEN_ISSUER", "Who signs the Bot Connector's calls", default=ISSUER, check=str.strip),
    Field(
        "TEAMS_SERVICE_URL_HOSTS",
        "Further hosts that may get the bot's token, host or host:port, comma list",
        check=hosts,
        mend="Give hosts such as smba.example.com or smba.example.com:8443, separated by commas.",
    ),
)
FIELDS = tuple(replace(each, channel="teams") for each in _FIELDS)
REQUIRED = tuple(each.name for each in FIELDS if each.required)


@dataclass(frozen=True, slots=True)
class TeamsSettings:
    app_id: str
    secret: str = field(repr=False)
    tenant: str
    conversation: str
    service_url: str
    login_url: str
    metadata_url: str
    issuer: str
    hosts: ServiceHosts

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Self:
        def value(name: str, default: str = "") -> str:
            return settings.get(name, "").strip() or default

        return cls(
            app_id=value("TEAMS_APP_ID").lower(),
            secret=value("TEAMS_CLIENT_SECRET"),
            tenant=value("TEAMS_TENANT_ID").lower(),
            conversation=value("TEAMS_CONVERSATION_ID"),
            service_url=value("TEAMS_SERVICE_URL"),
            login_url=value("TEAMS_LOGIN_URL", LOGIN_URL).rstrip("/"),
            metadata_url=value("TEAMS_OPENID_METADATA_URL", METADATA_URL),
            issuer=value("TEAMS_TOKEN_ISSUER", ISSUER),
            hosts=ServiceHosts.parse(value("TEAMS_SERVICE_URL_HOSTS")),
        )

    @property
    def missing(self) -> tuple[str, ...]:
        given = dict(zip(REQUIRED, (self.app_id, self.secret, self.tenant), strict=True))
        return tuple(name for name, value in given.items() if not value)

    @property
    def bot(self) -> str:
        """What Teams calls the bot."""
        return f"28:{self.app_id}"

    @property
    def token_url(self) -> str:
        return f"{self.login_url}/{self.tenant}/oauth2/v2.0/token"

    @property
    def scope(self) -> str:
        return _SCOPES.get(self.issuer, _SCOPE)
