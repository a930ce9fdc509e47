"""What the Bot Connector's and the login's codes mean, in our reasons and in words. No code is compared elsewhere."""

from aiohttp import ClientConnectorDNSError, ClientConnectorError

from bot.channels.contract import DeliveryError, Reason

_STATUS = {
    400: (Reason.INVALID, "Teams calls the message malformed"),
    401: (Reason.UNAUTHORIZED, "Teams refuses the bot's token"),
    403: (Reason.REFUSED, "the bot was removed or blocked there"),
    404: (Reason.GONE, "the conversation or the message is no longer there"),
    405: (Reason.INVALID, "Teams does not take this kind of call"),
    408: (Reason.TIMED_OUT, "Teams did not get the message in time"),
    409: (Reason.UNAVAILABLE, "Teams is busy with the same conversation"),
    410: (Reason.GONE, "the conversation or the message is no longer there"),
    412: (Reason.UNAVAILABLE, "Teams is busy with the same conversation"),
    413: (Reason.TOO_LARGE, "the message is larger than Teams takes"),
    429: (Reason.RATE_LIMITED, "Teams takes no more messages for the moment"),
    504: (Reason.TIMED_OUT, "Teams did not answer in time"),
}
# Some refusals carry the usual status of another one.
_CODES = {
    "MessageSizeTooBig": 413,
    "RequestEntityTooLarge": 413,
    "ConversationNotFound": 404,
    "ActivityNotFoundInConversation": 404,
    "BotNotInConversationRoster": 403,
    "MessageWritesBlocked": 403,
    "ConversationBlockedByUser": 403,
}
_ANOTHER_CLOUD = (
    "this conversation belongs to another cloud of Microsoft's: TEAMS_SERVICE_URL must be that cloud's address, "
    "for GCC https://smba.infra.gcc.teams.microsoft.com/teams/"
)

_LOGIN = {
    7000215: "the client secret is wrong: TEAMS_CLIENT_SECRET must hold the secret's value, not its id",
    7000222: "the client secret has expired: make a new one and save it as TEAMS_CLIENT_SECRET",
    700016: "the tenant does not know this app: TEAMS_APP_ID or TEAMS_TENANT_ID is wrong",
    90002: "there is no such tenant: TEAMS_TENANT_ID is wrong",
    900021: "there is no such tenant: TEAMS_TENANT_ID is wrong",
    7000229: "the app has no service principal in this tenant: run `az ad sp create --id` with the app id",
    7000112: "the app is disabled in this tenant: an administrator of Microsoft Entra can enable it",
    53003: "a Conditional Access rule of the tenant blocks the app",
    1002012: "the login does not know the scope: TEAMS_TOKEN_ISSUER belongs to another cloud",
}
_LOGIN_BUSY = frozenset({50196, 90033, 90012, 90025})


def connector_error(status: int, code: str = "", retry_after: float | None = None) -> DeliveryError:
    """Of an answer that is not 2xx."""
    if code == "InvalidBotApiHost":
        return DeliveryError(Reason.NOT_SET_UP, f"{_ANOTHER_CLOUD} ({status} {code})")
    known = _STATUS.get(_CODES.get(code, status))
    if 300 <= status < 400:
        known = (Reason.UNAVAILABLE, "Teams sent the call elsewhere, where the bot's token does not go")
    if known is None:
        known = (Reason.UNAVAILABLE if status >= 500 else Reason.REFUSED, "Teams did not take the message")
    reason, words = known
    shown = f" {code}" if code.isidentifier() and len(code) <= 60 else ""
    return DeliveryError(reason, f"{words} ({status}{shown})", retry_after if reason.passes else None)


def login_error(status: int, codes: list[int], retry_after: float | None = None) -> DeliveryError:
    """Of an answer of the login that holds no token."""
    if status == 429:
        return DeliveryError(Reason.RATE_LIMITED, "Microsoft's login takes no more calls for the moment", retry_after)
    if status >= 500 or status == 408 or _LOGIN_BUSY.intersection(codes):
        return DeliveryError(Reason.UNAVAILABLE, f"Microsoft's login does not work ({status})", retry_after)
    if not 400 <= status < 500:
        return DeliveryError(Reason.UNAVAILABLE, f"Microsoft's login gave no token ({status})")
    named = next((code for code in codes if code in _LOGIN), None)
    if named is not None:
        return DeliveryError(Reason.UNAUTHORIZED, f"{_LOGIN[named]} (AADSTS{named})")
    shown = f"AADSTS{codes[0]}" if codes else str(status)
    return DeliveryError(Reason.UNAUTHORIZED, f"Microsoft's login refuses the app ({shown})")


def transport_error(error: Exception, who: str) -> DeliveryError:
    """Of a call that got no answer."""
    match error:
        case TimeoutError():
            return DeliveryError(Reason.TIMED_OUT, f"{who} did not answer in time")
        case ClientConnectorDNSError():
            return DeliveryError(Reason.UNAVAILABLE, f"the host name of {who} was not found")
        case ClientConnectorError():
            return DeliveryError(Reason.UNAVAILABLE, f"{who} could not be reached")
        case _:
            return DeliveryError(Reason.UNAVAILABLE, f"{who} did not answer as it should")
