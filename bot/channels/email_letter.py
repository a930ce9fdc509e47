"""A mail as bytes, and addresses that are safe to stand in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses

from renderers.email import Mail
from renderers.inert import one_line

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")
_ENCODED = "=?"
# Every part in seven bits, so that no relay on the way has to recode it.
_POLICY = SMTP.clone(cte_type="7bit")


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Of a comma list; a comma in a quoted name is part of the name."""
    return tuple(
        parse_address(spec or name, name if spec else "") for name, spec in getaddresses([text]) if name or spec
    )


def parse_address(text: str, name: str = "") -> Address:
    """An address with its name. Raises ValueError with a sentence; what is returned is safe in a header."""
    named = getaddresses([text.strip()])
    found, spec = named[0] if len(named) == 1 else ("", "")
    local, _, domain = spec.rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        domain = ""
    is_fit = _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain) and text.isprintable()
    if not is_fit or _ENCODED in local:
        raise ValueError(f"{one_line(text)[:100]} is not an e-mail address such as ana@example.com.")
    return Address(_words(name or found), local, domain)


@dataclass(frozen=True, slots=True)
class Heads:
    """Where a mail stands in its conversation."""

    message_id: str
    references: Sequence[str] = ()
    in_reply_to: str = ""


def compose(sender: Address, recipients: Sequence[Address], mail: Mail, heads: Heads, at: datetime) -> bytes:
    message = EmailMessage(_POLICY)
    message["From"] = sender
    message["To"] = tuple(recipients)
    message["Subject"] = _words(mail.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = heads.message_id
    if heads.in_reply_to:
        message["In-Reply-To"] = heads.in_reply_to
    if heads.references:
        message["References"] = " ".join(heads.references)
    # Automatic answers to a request for approval would only confuse (RFC 3834; the second is what Exchange reads).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_encodable(mail.text))
    message.add_alternative(_encodable(mail.html), subtype="html")
    return message.as_bytes()


def _words(text: str) -> str:
    """One line without an encoded word of RFC 2047: Python's email package would decode it, line breaks and all."""
    return one_line(text).replace(_ENCODED, "= ?")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
