"""One e-mail as its reader opens it."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """`recipients` are those of the envelope, `to` is what the header says."""

    recipients: tuple[str, ...]
    envelope_from: str
    raw: bytes
    message: EmailMessage

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def sender(self) -> str:
        return self.header("From")

    @property
    def to(self) -> str:
        return self.header("To")

    @property
    def message_id(self) -> str:
        return self.header("Message-ID")

    @property
    def in_reply_to(self) -> str:
        return self.header("In-Reply-To")

    @property
    def references(self) -> list[str]:
        return self.header("References").split()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """In order, repeated ones repeated."""
        return [(name, str(value)) for name, value in self.message.items()]

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def links(self) -> list[str]:
        """Addresses of the HTML's anchors, or those in the text of a mail without HTML."""
        return _Anchors.of(self.html) if self.html else ADDRESS.findall(self.text)

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def letter(raw: bytes, envelope_from: str, recipients: tuple[str, ...]) -> Letter:
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage), "the default policy makes this class"
    return Letter(recipients, envelope_from, raw, message)


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, html: str) -> list[str]:
        parser = cls()
        parser.feed(html)
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]
