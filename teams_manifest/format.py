"""The app manifest, in the format that Microsoft numbers 1.19."""

from typing import Any

from teams_manifest.app import TeamsApp

FORMAT = "1.19"
COLOUR, OUTLINE = "color.png", "outline.png"
ACCENT = "#14548F"  # the ground of the colour icon
SCOPES = ("personal", "team", "groupChat")
COMMANDS = (
    ("help", "What you can write to me"),
    ("pending", "The requests that wait for you"),
    ("status", "How the channels do"),
)
SHORT = "Asks you in Teams when a gateway, an agent or a monitor needs a person."
FULL = (
    "Gatebell rings you when a gateway, an agent or a monitor needs a person: an action was blocked, an agent wants to "
    "write, something broke. Decide with one click; the caller learns of it at once, and every copy of the card shows "
    "what was decided and by whom.\n\n"
    "It is run by your own organisation: messages go from its server to Teams through Microsoft's Bot Connector and "
    "through nobody else. It reads what is written to it and nothing else in your chats and channels."
)


def manifest(app: TeamsApp) -> dict[str, Any]:
    """Raises Unfit."""
    fit = app.checked()
    return {
        "$schema": f"https://developer.microsoft.com/en-us/json-schemas/teams/v{FORMAT}/MicrosoftTeams.schema.json",
        "manifestVersion": FORMAT,
        "version": fit.version,
        "id": fit.package_id,
        "developer": {
            "name": fit.developer,
            "websiteUrl": fit.website,
            "privacyUrl": fit.privacy,
            "termsOfUseUrl": fit.terms,
        },
        "name": {"short": fit.name, "full": fit.full_name},
        "description": {"short": SHORT, "full": FULL},
        "icons": {"color": COLOUR, "outline": OUTLINE},
        "accentColor": ACCENT,
        "bots": [_bot(fit.app_id)],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": [fit.domain],
        "defaultInstallScope": "personal",
    }


def _bot(app_id: str) -> dict[str, Any]:
    return {
        "botId": app_id,
        "scopes": list(SCOPES),
        "isNotificationOnly": False,
        "supportsFiles": False,
        "supportsCalling": False,
        "supportsVideo": False,
        # One list for each place, as the format's own description asks.
        "commandLists": [{"scopes": [scope], "commands": _commands()} for scope in SCOPES],
    }


def _commands() -> list[dict[str, str]]:
    return [{"title": title, "description": description} for title, description in COMMANDS]
