"""What a mail server's refusals mean; its codes end here."""

import re
import ssl
from dataclasses import dataclass

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPTimeoutError,
)

from bot.channels.contract import DeliveryError, Reason

_WHOLE_DETAIL = 200


def failure(error: Exception) -> DeliveryError:
    """The reason behind whatever the library or the network raised."""
    match error:
        case SMTPAuthenticationError() if error.code >= 500:
            return DeliveryError(Reason.UNAUTHORIZED, f"the mail server refuses the login ({error.code})")
        case SMTPSenderRefused() if error.code >= 500 and error.code != 552:
            return DeliveryError(Reason.UNAUTHORIZED, f"the mail server refuses SMTP_FROM: {_said(error)}")
        case SMTPResponseException():
            meant = _meaning(error)
            todo = f": {meant.todo}" if meant else ""
            return DeliveryError(_reason(error, meant), f"the mail server said {_said(error)}{todo}")
        case SMTPTimeoutError() | TimeoutError():
            return DeliveryError(Reason.TIMED_OUT, "the mail server did not answer in time")
        case OSError() if trouble := tls_trouble(error):
            return DeliveryError(Reason.UNAVAILABLE, trouble)
        case OSError():
            return DeliveryError(Reason.UNAVAILABLE, "the mail server cannot be reached")
        case _:
            return DeliveryError(
                Reason.NOT_SET_UP, f"the mail server cannot do what is set: {str(error)[:_WHOLE_DETAIL]}"
            )


def tls_trouble(error: BaseException) -> str:
    """Words for a failed handshake, which the library wraps now and then; "" for anything else."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"the mail server's certificate is not trusted: {found.verify_message}"
    return "the mail server does not speak TLS here" if found else ""


# ---- what a code and its words mean ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Why a mail was refused, and who does what about it; `todo` goes on after a colon.

    It shows in an enhanced status code (RFC 3463, here without its class), else in words, else in the code alone.
    """

    todo: str
    enhanced: frozenset[str]
    words: re.Pattern[str]
    codes: frozenset[int] = frozenset()


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_FULL = _Meaning(
    "the mailbox is full, so its owner has to empty it, or an admin has to give it more room",
    frozenset({"2.2"}),
    _words(r"mailbox\b.*\bfull|full mailbox|quota|out of storage|(exceed|over)\w* (its |the )?storage"),
    frozenset({422, 552}),
)
_TOO_LARGE = _Meaning(
    "the mail is larger than the server takes, so whoever runs it has to allow more",
    frozenset({"2.3", "3.4"}),
    _words(r"(message|mail|file|content)\b.*\b(too (large|big|long)|size)|size limit|size exceed"),
    frozenset({523}),
)
_NO_ROOM = _Meaning(
    "the server takes no more now, for lack of room or by a limit, and whoever runs it can say more if that lasts",
    frozenset({"3.1", "3.2", "4.5", "5.3"}),
    _words(r"insufficient (system )?(storage|resources)|disk full|limit exceeded"),
    frozenset({452}),
)
_BUSY = _Meaning(
    "it is busy or wants to see a second try, so ask whoever runs it only if that lasts",
    frozenset(),
    _words(r"gr[ae]y.?list|try again|busy"),
    frozenset({450, 451}),
)
_CLOSED = _Meaning(
    "the mailbox is closed, so its owner or an admin has to open it",
    frozenset({"2.0", "2.1"}),
    _words(r"(mailbox|account|user|recipient)\b.*\b(disabled|inactive|suspended|closed)"),
)
_UNKNOWN = _Meaning(
    "nobody has this address there, so correct it, or ask an admin for the right one",
    frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "4.1"}),
    _words(r"no such|unknown|not? (exist|found|local)|invalid (recipient|mailbox|address)"),
    frozenset({550, 551, 553}),
)
_RULE = _Meaning(
    "a rule there forbids it, so whoever runs the mail server has to allow this server and SMTP_FROM",
    frozenset({"7.0", "7.1", "7.23", "7.25", "7.26", "7.27"}),
    _words(r"relay|spam|policy|blocked|black.?list|block.?list|reputation|denied|rejected|\b(spf|dkim|dmarc)\b"),
    frozenset({554}),
)
_PASSING = (_FULL, _NO_ROOM, _BUSY)
_LASTING = (_TOO_LARGE, _FULL, _NO_ROOM, _CLOSED, _UNKNOWN, _RULE)
_READ = frozenset({422, 450, 451, 452, 523, 550, 551, 552, 553, 554})  # the others say nothing of mailbox or mail
_ENHANCED = re.compile(r"\s*[45]\.(\d{1,3}\.\d{1,3})\b")


def _meaning(error: SMTPResponseException) -> _Meaning | None:
    if error.code not in _READ:
        return None
    possible = _PASSING if error.code < 500 else _LASTING
    enhanced = _ENHANCED.match(error.message)
    said = [each for each in possible if enhanced and enhanced[1] in each.enhanced]
    worded = [each for each in possible if each.words.search(error.message)]
    coded = [each for each in possible if error.code in each.codes]
    if isinstance(error, SMTPSenderRefused):
        coded = [_TOO_LARGE]  # nothing but the size of the mail was told until then
    return next(iter([*said, *worded, *coded]), None)


_REASONS = {
    450: Reason.RATE_LIMITED,  # this mailbox, for now: busy or greylisted
    452: Reason.RATE_LIMITED,
    523: Reason.TOO_LARGE,
    530: Reason.UNAUTHORIZED,
    534: Reason.UNAUTHORIZED,
    535: Reason.UNAUTHORIZED,
    538: Reason.UNAUTHORIZED,
    552: Reason.TOO_LARGE,
}
_TOO_FAST = re.compile(r"throttl|too many|too fast|rate", re.IGNORECASE)


def _reason(error: SMTPResponseException, meant: _Meaning | None) -> Reason:
    if error.code in _REASONS:
        return _REASONS[error.code]
    if meant is _FULL:  # one person's, so never an outage for all
        return Reason.RATE_LIMITED if error.code < 500 else Reason.TOO_LARGE
    if 400 <= error.code < 500 and _TOO_FAST.search(error.message):
        return Reason.RATE_LIMITED
    if 500 <= error.code < 505:
        return Reason.INVALID
    return Reason.REFUSED if error.code >= 500 else Reason.UNAVAILABLE


def _said(error: SMTPResponseException) -> str:
    words = " ".join(error.message.split())
    return f"{error.code} {''.join(each for each in words if each.isprintable())}"[:_WHOLE_DETAIL]
