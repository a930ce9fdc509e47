"""What a mail server's refusals mean; its codes end here."""

import re
import ssl

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
            return DeliveryError(_reason(error), f"the mail server said {_said(error)}")
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


def _reason(error: SMTPResponseException) -> Reason:
    if error.code in _REASONS:
        return _REASONS[error.code]
    if 400 <= error.code < 500 and _TOO_FAST.search(error.message):
        return Reason.RATE_LIMITED
    if 500 <= error.code < 505:
        return Reason.INVALID
    return Reason.REFUSED if error.code >= 500 else Reason.UNAVAILABLE


def _said(error: SMTPResponseException) -> str:
    words = " ".join(error.message.split())
    return f"{error.code} {''.join(each for each in words if each.isprintable())}"[:_WHOLE_DETAIL]
