"""A mail as bytes, and addresses that are safe to stand in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, getaddresses
from typing import Any

from renderers.email import Mail
from renderers.inert import one_line

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")
_ENCODED = "=?"
_PLAIN_NAME = 60  # characters; a longer one is written in encoded words, which lines can be broken between
_WORD = 67  # characters of an encoded word, so that with its head's name it fits into a line (RFC 2047, section 2)


class _Letters(EmailPolicy):
    """Breaks lines between addresses and between ids alone, and encodes a subject as a whole.

    Python's own way, for lines that are too long, encodes ids, which are none then, and the commas between addresses,
    and loses the quotes around names, and spaces where a subject has words of both kinds.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        match value:
            case AddressHeader():
                pieces, between = [_written(each) for each in value.addresses], ",\r\n "
            case _ if name in ("In-Reply-To", "References"):
                pieces, between = str(value).split(), "\r\n "
            case _ if name == "Subject" and not str(value).isascii():
                pieces, between = [_encoded(str(value))], ""
            case _:
                return super().fold_binary(name, value)
        return f"{name}: {between.join(pieces)}\r\n".encode("ascii")


def _written(address: Address) -> str:
    name = address.display_name
    if name.isascii() and len(name) <= _PLAIN_NAME:
        return str(address)
    return f"{_encoded(name)}\r\n <{address.addr_spec}>"


def _encoded(text: str) -> str:
    return Header(text, "utf-8", _WORD).encode(splitchars="", linesep="\r\n")


# Every part in seven bits, so that no relay on the way has to recode it.
_POLICY = _Letters(linesep="\r\n", cte_type="7bit")


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
