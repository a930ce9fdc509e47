"""Mails over real SMTP: what a reader gets, how a conversation hangs together, and what each refusal means."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any

import pytest
from aiosmtplib import SMTPAuthenticationError, SMTPRecipientRefused, SMTPSenderRefused

from bot.channels.contract import CanCheck, CanUpdate, Channel, DeliveryError, Post, Reader, ReaderKind, Reason, Runs
from bot.channels.email import Email
from bot.channels.email_failure import failure as meaning
from bot.channels.email_letter import parse_address
from bot.channels.email_relay import FRESH_SECONDS, IDLE_SECONDS, MAILS_PER_CONNECTION, Relay, Security, Server
from bot.doctor.round_trip import mend_of
from bot.rehearsal import failure
from bot.rehearsal.mail import Mailbox
from interactions.card import Card, Choice, Outcome, Severity, Status
from tests.channels.http.edges import edge

ANA = Reader(ReaderKind.OPERATOR, "op_ana", "Ana", "ana@example.com")
BEN = Reader(ReaderKind.OPERATOR, "op_ben", "Ben", "ben@example.com")
ROOM = Reader(ReaderKind.ROOM, "room")
CARD = Card(
    "Delete the report?", Severity.HIGH, text="It is **old**.", choices=(Choice("approve", "Approve", approves=True),)
)
POST = Post("int_1", 0, CARD, page="https://gatebell.example/d/anas-own")
DECIDED = replace(CARD, choices=(), outcome=Outcome(Status.DECIDED, "Approved by Ben", approved=True))
SENDER = "Gatebell <gatebell@example.com>"


def email(mailbox: Mailbox, *, patience: float = 5, trusting: bool = True, **changed: Any) -> Email:
    """The channel that fits the mailbox, but for what is changed."""
    security = Security(mailbox.security.value)
    fitting = Server(mailbox.host, mailbox.port, security, mailbox.username, mailbox.password)
    tls = trusting and security is not Security.NONE
    context = ssl.create_default_context(cafile=mailbox.ca_path) if tls else None
    relay = Relay(replace(fitting, **changed), context, patience=patience)
    return Email(SENDER, "ops@example.com, ana@example.com", relay, edge())


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
async def channel(mailbox: Mailbox) -> AsyncIterator[Email]:
    channel = email(mailbox)
    yield channel
    channel._relay.close()


def unread(raw: bytes, name: str) -> str:
    """A head as it was written, where a reader of today would decode it."""
    return str(message_from_bytes(raw)[name])


async def refused(channel: Email, reader: Reader = ANA) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.send(reader, POST)
    return caught.value


# ---- what a reader gets ----------------------------------------------------------------------------------------------


async def test_a_mail_says_who_for_whom_and_what(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    letter = mailbox.letters[0]
    assert (letter.sender, letter.to, letter.subject) == (
        SENDER,
        "Ana <ana@example.com>",
        "[HIGH] Delete the report?",
    )


@pytest.mark.parametrize("part", ["text", "html"])
async def test_both_parts_hold_the_readers_own_link(mailbox: Mailbox, channel: Email, part: str) -> None:
    await channel.send(ANA, POST)
    assert "https://gatebell.example/d/anas-own" in getattr(mailbox.letters[0], part)


@pytest.mark.parametrize(
    "name, value",
    [
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Date", "Sat, 21 Nov 2026 12:00:00 +0000"),
        ("MIME-Version", "1.0"),
    ],
)
async def test_a_mail_carries_what_mail_programs_go_by(mailbox: Mailbox, channel: Email, name: str, value: str) -> None:
    await channel.send(ANA, POST)
    assert mailbox.letters[0].header(name) == value


async def test_every_byte_is_ascii_and_no_line_is_too_long(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, replace(POST, card=replace(CARD, title="Löschen? 🗑️ " * 20, text="ä" * 5000)))
    raw = mailbox.letters[0].raw
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


async def test_a_room_is_everybody_of_the_setting(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ROOM, POST)
    assert mailbox.letters[0].recipients == ("ops@example.com", "ana@example.com")


async def test_a_rooms_own_place_goes_before_the_setting(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(replace(ROOM, place='"Doe, Ben" <ben@example.com>'), POST)
    assert mailbox.letters[0].recipients == ("ben@example.com",)


@pytest.mark.parametrize(
    "reader",
    [
        replace(ANA, email=""),
        replace(ANA, email="not an address"),
        replace(ANA, email="ana@example.com\r\nBcc: cleo@example.com"),
        replace(ANA, email="ana@example.com, cleo@example.com"),
        replace(ROOM, place="nobody"),
        replace(ROOM, place="ben@example.com, eve@elsewhere.example"),
        Reader(ReaderKind.CALLER, "caller", place="https://caller.example"),
    ],
)
async def test_a_reader_without_a_usable_address_is_known_as_such(
    mailbox: Mailbox, channel: Email, reader: Reader
) -> None:
    assert ((await refused(channel, reader)).reason, mailbox.letters) == (Reason.NO_ADDRESS, [])


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b", "\x00", "\ud800"])
async def test_no_text_adds_a_header_or_a_recipient(mailbox: Mailbox, channel: Email, ending: str) -> None:
    evil = f"Hello{ending}Bcc: cleo@example.com{ending}{ending}body"
    await channel.send(replace(ANA, name=evil), replace(POST, card=replace(CARD, title=evil, text=evil)))
    letter = mailbox.letters[0]
    assert letter.recipients == ("ana@example.com",)
    assert "bcc" not in {name.lower() for name, _ in letter.headers}


@pytest.mark.parametrize(
    "word", ["=?utf-8?q?=0ABcc:_cleo=40example.com?=", "=\u200b?utf-8?b?CkJjYzogY2xlb0BleGFtcGxlLmNvbQ==?="]
)
async def test_an_encoded_word_stays_what_was_written(mailbox: Mailbox, channel: Email, word: str) -> None:
    """Python's email package decodes such words, and would write the line break that is hidden in them."""
    await channel.send(replace(ANA, name=word), replace(POST, card=replace(CARD, title=word)))
    letter = mailbox.letters[0]
    assert b"\nBcc" not in letter.raw
    assert letter.subject.endswith(word.replace("\u200b", "").replace("=?", "= ?"))


@pytest.mark.parametrize(
    "name", ["Ana Müller", "Müller, Ana", "Pörson " * 20, 'Ana" <eve@example.com>, "Eve ' * 5, "日本 " * 30]
)
async def test_whatever_people_are_called_the_heads_name_them_and_nobody_else(mailbox: Mailbox, name: str) -> None:
    """Python's email package, when it folds a long list, loses the quotes of names and encodes the commas between."""
    people = [(name.strip(), f"person{each}@example.com") for each in range(8)]
    room = ", ".join(str(parse_address(address, called)) for called, address in people)
    channel = email(mailbox)
    await channel.send(replace(ROOM, place=room), POST)
    to = unread(mailbox.letters[0].raw, "To")
    assert [(str(make_header(decode_header(called))), address) for called, address in getaddresses([to])] == people
    channel._relay.close()


@pytest.mark.parametrize(
    "title",
    [
        "auf Bericht invalid_grant wartet die drei — Jürgen Freigabe Jürgen",
        "auf drei https://status.example.com/incidents/4711 Überlauf Überlauf db-7",
        "— Zürich Überlauf eine Überlauf «prod» seit Bericht der wartet Bericht Stunden für Löschen",
        "Stunden eine https://status.example.com/incidents/4711 Zürich Stunden",
    ],
)
async def test_a_long_subject_keeps_every_space(mailbox: Mailbox, channel: Email, title: str) -> None:
    """Python's email package loses some between the words that it encodes, and writes others twice."""
    await channel.send(ANA, replace(POST, card=replace(CARD, title=title)))
    subject = unread(mailbox.letters[0].raw, "Subject").replace("\r\n", "")
    assert str(make_header(decode_header(subject))) == f"[HIGH] {title}"


def test_an_encoded_word_is_no_address() -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        parse_address("=?utf-8?q?ana=0ABcc=3Ax?=@example.com")


async def test_a_line_with_a_single_dot_ends_nothing(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, replace(POST, card=replace(CARD, text="one\n\n.\n\n.two\n\nthree")))
    assert "\n\none\n\n.\n\n.two\n\nthree\n\n" in mailbox.letters[0].text


# ---- a conversation --------------------------------------------------------------------------------------------------


async def test_the_same_copy_has_the_same_message_id(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    await channel.send(ANA, POST)
    assert mailbox.letters[0].message_id == mailbox.letters[1].message_id


async def test_another_reader_and_another_version_have_another_message_id(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    await channel.send(BEN, POST)
    await channel.send(ANA, replace(POST, version=1))
    assert len({letter.message_id for letter in mailbox.letters}) == 3


async def test_the_end_is_a_reply_to_the_first_mail(mailbox: Mailbox, channel: Email) -> None:
    receipt = await channel.send(ANA, POST)
    await channel.update(ANA, receipt, replace(POST, version=1, card=DECIDED))
    first, reply = mailbox.letters
    assert (reply.in_reply_to, reply.references, reply.subject) == (
        first.message_id,
        [first.message_id],
        "Re: [HIGH] Delete the report?",
    )
    assert "Approved by Ben" in reply.text


async def test_a_conversation_hangs_together_however_long_the_name_of_its_domain(mailbox: Mailbox) -> None:
    """An id in an encoded word is no id (RFC 2047, section 5), although Python's email package reads it as one."""
    long = "gatebell@notifications.eu-central.mail.internal.example.com"
    channel = Email(long, "", email(mailbox)._relay, edge())
    receipt = await channel.send(ANA, replace(POST, thread="thread-1"))
    await channel.update(ANA, receipt, replace(POST, version=1, card=DECIDED))
    first, reply = (each.raw for each in mailbox.letters)
    id_, anchor = unread(first, "Message-ID").strip(), unread(first, "References").strip()
    assert (unread(reply, "In-Reply-To").strip(), unread(reply, "References").split()) == (id_, [anchor, id_])
    assert anchor.startswith("<")
    channel._relay.close()


async def test_mails_of_one_thread_hang_together(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, replace(POST, thread="thread-1"))
    await channel.send(ANA, replace(POST, thread="thread-1", ref="int_2"))
    first, second = mailbox.letters
    assert first.references == second.references != []


async def test_progress_alone_sends_no_mail(mailbox: Mailbox, channel: Email) -> None:
    receipt = await channel.send(ANA, POST)
    again = await channel.update(ANA, receipt, replace(POST, version=1, card=replace(CARD, progress="1 of 2")))
    assert (again, len(mailbox.letters)) == (receipt, 1)


async def test_the_end_is_told_once(mailbox: Mailbox, channel: Email) -> None:
    receipt = await channel.send(ANA, POST)
    receipt = await channel.update(ANA, receipt, replace(POST, version=1, card=DECIDED))
    await channel.update(ANA, receipt, replace(POST, version=2, card=DECIDED))
    assert len(mailbox.letters) == 2


async def test_what_was_decided_before_it_was_sent_gets_no_reply(mailbox: Mailbox, channel: Email) -> None:
    receipt = await channel.send(ANA, replace(POST, card=DECIDED))
    await channel.update(ANA, receipt, replace(POST, version=1, card=DECIDED))
    assert len(mailbox.letters) == 1


# ---- connections -----------------------------------------------------------------------------------------------------


async def test_one_connection_carries_many_mails(mailbox: Mailbox, channel: Email) -> None:
    for number in range(10):
        await channel.send(ANA, replace(POST, ref=f"int_{number}"))
    assert (len(mailbox.letters), mailbox.connections) == (10, 1)


async def test_a_connection_ends_before_its_server_grows_tired_of_it(mailbox: Mailbox, channel: Email) -> None:
    for number in range(MAILS_PER_CONNECTION + 1):
        await channel.send(ANA, replace(POST, ref=f"int_{number}"))
    assert (len(mailbox.letters), mailbox.connections) == (MAILS_PER_CONNECTION + 1, 2)


async def test_many_mails_at_once_share_a_few_connections(mailbox: Mailbox, channel: Email) -> None:
    await asyncio.gather(*(channel.send(ANA, replace(POST, ref=f"int_{number}")) for number in range(40)))
    assert (len(mailbox.letters), mailbox.connections <= 4) == (40, True)


async def test_a_connection_that_was_closed_meanwhile_costs_nothing(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    mailbox.fail(failure.reset(), path="MAIL", times=1)
    await channel.send(ANA, POST)
    assert (len(mailbox.letters), mailbox.connections) == (2, 2)


async def test_a_server_that_ends_its_connections_politely_costs_nothing(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    mailbox.fail(failure.status(421), path="MAIL", times=1)
    await channel.send(ANA, POST)
    assert len(mailbox.letters) == 2


async def test_a_refusal_keeps_the_connection(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.status(550), path="RCPT", times=1)
    await refused(channel)
    await channel.send(ANA, POST)
    assert mailbox.connections == 1


async def test_a_cancelled_send_leaves_no_half_used_connection(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    mailbox.fail(failure.hang(), path="RCPT", times=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.send(ANA, POST), 0.2)
    mailbox.heal()
    await channel.send(BEN, POST)
    assert [letter.recipients for letter in mailbox.letters] == [("ana@example.com",), ("ben@example.com",)]
    assert (mailbox.connections, len(mailbox.open_transports)) == (2, 1)


async def test_a_connection_that_nobody_needs_any_more_is_ended(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    [kept] = channel._relay._idle
    kept.used_at -= IDLE_SECONDS + 1
    channel._relay.tidy()
    await asyncio.sleep(0.2)
    assert mailbox.open_transports == set()


async def test_a_connection_that_is_still_needed_is_kept(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    channel._relay.tidy()
    await channel.send(ANA, POST)
    assert mailbox.connections == 1


async def test_an_old_connection_whose_server_fell_silent_costs_nothing(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    [kept], [transport] = channel._relay._idle, mailbox.open_transports
    kept.used_at -= FRESH_SECONDS + 1
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    await channel.send(ANA, POST)
    assert (len(mailbox.letters), mailbox.connections) == (2, 2)


async def test_a_greeting_that_fails_leaves_no_connection(mailbox: Mailbox) -> None:
    mailbox.fail(failure.hang(), path="EHLO")
    await refused(email(mailbox, patience=0.3))
    await asyncio.sleep(0.2)
    assert mailbox.open_transports == set()


async def test_at_the_end_every_connection_is_closed(mailbox: Mailbox, channel: Email) -> None:
    await channel.send(ANA, POST)
    running = asyncio.create_task(channel.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.sleep(0.2)
    assert mailbox.open_transports == set()


# ---- security --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("username", ["", "ana"])
async def test_every_way_to_secure_and_to_log_in(security: Security, username: str) -> None:
    async with Mailbox(security=security.value, username=username, password=username and "hush") as mailbox:
        channel = email(mailbox)
        await channel.send(ANA, POST)
        assert len(mailbox.letters) == 1
        channel._relay.close()


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(security: Security) -> None:
    async with Mailbox(security=security.value) as mailbox:
        error = await refused(email(mailbox, trusting=False))
    assert (error.reason, "certificate" in error.detail) == (Reason.UNAVAILABLE, True)


async def test_a_login_is_never_sent_where_encryption_was_expected() -> None:
    async with Mailbox(username="ana", password="hush") as mailbox:
        error = await refused(email(mailbox, security=Security.STARTTLS, trusting=False))
        assert (error.reason, [each.path for each in mailbox.journal]) == (Reason.NOT_SET_UP, [])


async def test_a_wrong_password_breaks_the_channel_and_is_not_told() -> None:
    async with Mailbox(username="ana", password="right") as mailbox:
        error = await refused(email(mailbox, password="hush"))
    assert (error.reason, "hush" in str(error)) == (Reason.UNAUTHORIZED, False)


async def test_a_missing_login_breaks_the_channel() -> None:
    async with Mailbox(username="ana", password="right") as mailbox:
        assert (await refused(email(mailbox, username=""))).reason is Reason.UNAUTHORIZED


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stage, code, reason",
    [
        ("CONNECT", 421, Reason.UNAVAILABLE),
        ("CONNECT", 554, Reason.REFUSED),
        ("MAIL", 421, Reason.UNAVAILABLE),
        ("MAIL", 451, Reason.UNAVAILABLE),
        ("MAIL", 550, Reason.UNAUTHORIZED),
        ("MAIL", 552, Reason.TOO_LARGE),
        ("RCPT", 450, Reason.RATE_LIMITED),
        ("RCPT", 451, Reason.UNAVAILABLE),
        ("RCPT", 550, Reason.REFUSED),
        ("RCPT", 501, Reason.INVALID),
        ("DATA", 421, Reason.UNAVAILABLE),
        ("DATA", 451, Reason.UNAVAILABLE),
        ("DATA", 452, Reason.RATE_LIMITED),
        ("DATA", 552, Reason.TOO_LARGE),
        ("DATA", 554, Reason.REFUSED),
    ],
)
async def test_every_refusal_has_its_reason(
    mailbox: Mailbox, channel: Email, stage: str, code: int, reason: Reason
) -> None:
    mailbox.fail(failure.status(code), path=stage)
    assert ((await refused(channel)).reason, mailbox.of("ana@example.com")) == (reason, [])


FULL = "the mailbox is full, so its owner has to empty it"
LARGE = "the mail is larger than the server takes, so whoever runs it has to allow more"
NO_ROOM = "the server takes no more now"
BUSY = "it is busy or wants to see a second try"
CLOSED = "the mailbox is closed, so its owner or an admin has to open it"
UNKNOWN = "nobody has this address there, so correct it"
RULE = "a rule there forbids it, so whoever runs the mail server has to allow this server and SMTP_FROM"


@pytest.mark.parametrize(
    "code, said, reason, todo",
    [
        (422, "Over its limit", Reason.RATE_LIMITED, FULL),
        (450, "4.2.1 Mailbox busy", Reason.RATE_LIMITED, BUSY),
        (450, "4.2.2 Over quota", Reason.RATE_LIMITED, FULL),
        (451, "4.7.1 Greylisted, try again", Reason.UNAVAILABLE, BUSY),
        (451, "4.2.2 Over quota", Reason.RATE_LIMITED, FULL),
        (452, "Insufficient system storage", Reason.RATE_LIMITED, NO_ROOM),
        (452, "4.2.2 The account is over quota", Reason.RATE_LIMITED, FULL),
        (550, "Mailbox unavailable", Reason.REFUSED, UNKNOWN),
        (550, "5.1.1 Recipient address rejected: user unknown", Reason.REFUSED, UNKNOWN),
        (550, "5.2.1 Mailbox disabled", Reason.REFUSED, CLOSED),
        (550, "5.2.2 Mailbox full", Reason.TOO_LARGE, FULL),
        (550, "5.7.1 Unable to relay", Reason.REFUSED, RULE),
        (550, "Your message was taken for spam", Reason.REFUSED, RULE),
        (551, "User not local", Reason.REFUSED, UNKNOWN),
        (552, "Requested mail action aborted: exceeded storage allocation", Reason.TOO_LARGE, FULL),
        (552, "5.2.2 Mailbox full", Reason.TOO_LARGE, FULL),
        (552, "5.3.4 Message size exceeds fixed limit", Reason.TOO_LARGE, LARGE),
        (552, "Message too large", Reason.TOO_LARGE, LARGE),
        (553, "Mailbox name not allowed", Reason.REFUSED, UNKNOWN),
        (554, "Transaction failed", Reason.REFUSED, RULE),
        (554, "5.2.2 Mailbox full", Reason.TOO_LARGE, FULL),
    ],
)
def test_a_refusal_says_who_can_do_what(code: int, said: str, reason: Reason, todo: str) -> None:
    error = meaning(SMTPRecipientRefused(code, said, "ana@example.com"))
    assert error.reason is reason
    assert error.detail.startswith(f"the mail server said {code} {said}: {todo}")


@pytest.mark.parametrize(
    "code, said, reason",
    [
        (421, "4.7.0 Try later: too many messages", Reason.RATE_LIMITED),
        (421, "4.3.2 Closing", Reason.UNAVAILABLE),
        (451, "4.7.1 Sending rate exceeded", Reason.RATE_LIMITED),
        (523, "Too large", Reason.TOO_LARGE),
        (530, "Authenticate first", Reason.UNAUTHORIZED),
        (534, "Too weak", Reason.UNAUTHORIZED),
        (535, "No", Reason.UNAUTHORIZED),
        (538, "Encrypt first", Reason.UNAUTHORIZED),
    ],
)
def test_a_code_alone_tells_what_can_be_hoped_for(code: int, said: str, reason: Reason) -> None:
    assert meaning(SMTPRecipientRefused(code, said, "ana@example.com")).reason is reason


@pytest.mark.parametrize("code, reason", [(535, Reason.UNAUTHORIZED), (454, Reason.UNAVAILABLE)])
def test_a_login_is_refused_for_good_or_for_now(code: int, reason: Reason) -> None:
    error = meaning(SMTPAuthenticationError(code, "user ana, password hush"))
    assert (error.reason, "refuses the login" in error.detail) == (reason, reason is Reason.UNAUTHORIZED)


def test_what_a_server_says_is_repeated_in_one_short_line() -> None:
    said = meaning(SMTPRecipientRefused(554, "no\r\n\x1b[31m" + "x" * 900, "ana@example.com")).detail
    assert (said.isprintable(), len(said) < 500) == (True, True)


def test_where_only_the_size_was_told_it_is_the_size_that_is_refused() -> None:
    assert LARGE in meaning(SMTPSenderRefused(552, "Exceeded", "gatebell@example.com")).detail


@pytest.mark.parametrize("code, said", [(421, "4.3.2 Closing"), (454, "4.7.0 Later"), (501, "5.1.3 Syntax")])
def test_what_speaks_of_no_mailbox_is_left_as_it_was_said(code: int, said: str) -> None:
    assert meaning(SMTPRecipientRefused(code, said, "ana@example.com")).detail == f"the mail server said {code} {said}"


async def test_a_full_mailbox_is_told_as_one(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.status(552), path="RCPT")
    assert FULL in (await refused(channel)).detail


async def test_the_usual_advice_for_a_full_mailbox_is_to_make_room(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.status(552), path="RCPT")
    assert "make room" in mend_of((await refused(channel)).reason)


async def test_a_passing_refusal_is_got_over_later(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.status(451), times=1)
    await refused(channel)
    await channel.send(ANA, POST)
    assert len(mailbox.letters) == 1


async def test_a_connection_lost_after_the_mail_is_unclear_and_repeated_under_the_same_id(
    mailbox: Mailbox, channel: Email
) -> None:
    mailbox.fail(failure.reset(late=True), times=1)
    assert (await refused(channel)).reason is Reason.UNCLEAR
    await channel.send(ANA, POST)
    first, second = mailbox.letters
    assert first.message_id == second.message_id


async def test_an_unclear_mail_is_not_sent_again_by_itself(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.reset(late=True))
    await refused(channel)
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize("stage", ["MAIL", "RCPT"])
async def test_a_connection_lost_before_the_mail_is_tried_once_more(
    mailbox: Mailbox, channel: Email, stage: str
) -> None:
    mailbox.fail(failure.reset(), path=stage, times=1)
    await channel.send(ANA, POST)
    assert (len(mailbox.letters), mailbox.connections) == (1, 2)


async def test_a_server_that_always_hangs_up_is_an_outage(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.reset(), path="MAIL")
    assert ((await refused(channel)).reason.is_outage, mailbox.connections) == (True, 2)


@pytest.mark.parametrize(
    "stage, reason",
    [("CONNECT", Reason.TIMED_OUT), ("EHLO", Reason.TIMED_OUT), ("RCPT", Reason.TIMED_OUT), ("DATA", Reason.UNCLEAR)],
)
async def test_a_server_that_hangs_is_given_up(mailbox: Mailbox, stage: str, reason: Reason) -> None:
    mailbox.fail(failure.hang(), path=stage)
    assert (await refused(email(mailbox, patience=0.3))).reason is reason


async def test_a_closed_port_is_an_outage() -> None:
    async with Mailbox() as gone:
        channel = email(gone)
    assert (await refused(channel)).reason is Reason.UNAVAILABLE


async def test_nonsense_after_the_mail_is_unclear(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.garbage())
    assert (await refused(channel)).reason is Reason.UNCLEAR


async def test_one_bad_address_does_not_keep_a_mail_from_the_rest(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.status(550), path="RCPT", to="ops@example.com")
    receipt = await channel.send(ROOM, POST)
    assert (mailbox.letters[0].recipients, receipt.extra["refused"]) == (("ana@example.com",), ["ops@example.com"])


async def test_whoever_may_take_a_mail_later_gets_it_later_and_nobody_gets_it_twice(
    mailbox: Mailbox, channel: Email
) -> None:
    greylisted = mailbox.fail(failure.status(451), path="RCPT", to="ops@example.com")
    for _ in range(2):
        error = await refused(channel, ROOM)
        assert (error.reason, "ops@example.com" in error.detail) == (Reason.RATE_LIMITED, True)
    mailbox.heal(greylisted)
    receipt = await channel.send(ROOM, POST)
    assert ([letter.recipients for letter in mailbox.letters], receipt.extra["refused"]) == (
        [("ana@example.com",), ("ops@example.com",)],
        [],
    )
    assert channel._taken == {}


async def test_an_address_that_turns_out_to_be_wrong_does_not_undo_what_others_got(
    mailbox: Mailbox, channel: Email
) -> None:
    greylisted = mailbox.fail(failure.status(450), path="RCPT", to="ops@example.com")
    await refused(channel, ROOM)
    mailbox.heal(greylisted)
    mailbox.fail(failure.status(550), path="RCPT", to="ops@example.com")
    receipt = await channel.send(ROOM, POST)
    assert (len(mailbox.letters), receipt.extra["refused"]) == (1, ["ops@example.com"])


async def test_an_outage_between_two_tries_makes_nobody_get_a_mail_twice(mailbox: Mailbox, channel: Email) -> None:
    greylisted = mailbox.fail(failure.status(450), path="RCPT", to="ops@example.com")
    await refused(channel, ROOM)
    mailbox.heal(greylisted)
    mailbox.fail(failure.status(451), path="MAIL", times=1)
    await refused(channel, ROOM)
    await channel.send(ROOM, POST)
    assert [letter.recipients for letter in mailbox.letters] == [("ana@example.com",), ("ops@example.com",)]


async def test_what_was_half_sent_is_not_remembered_for_ever(mailbox: Mailbox, channel: Email) -> None:
    mailbox.fail(failure.status(450), path="RCPT", to="ops@example.com")
    for number in range(1002):
        channel._remember(f"<{number}@example.com>", frozenset({"ana@example.com"}))
    await refused(channel, ROOM)
    assert len(channel._taken) == 1000


async def test_a_room_is_tried_again_while_one_of_its_addresses_may_still_take_the_mail(
    mailbox: Mailbox, channel: Email
) -> None:
    mailbox.fail(failure.status(550), path="RCPT", to="ops@example.com")
    mailbox.fail(failure.status(450), path="RCPT", to="ana@example.com")
    assert (await refused(channel, ROOM)).reason.passes


# ---- setting up ------------------------------------------------------------------------------------------------------


def test_it_is_a_channel_that_updates_runs_and_can_be_checked() -> None:
    made = Email.make({}, edge())
    assert [isinstance(made, each) for each in (Channel, CanUpdate, Runs, CanCheck)] == [True] * 4


def test_without_settings_it_says_which_are_missing() -> None:
    assert Email.make({}, edge()).missing() == ("SMTP_HOST", "SMTP_FROM")


async def test_settings_make_a_channel_that_sends(mailbox: Mailbox) -> None:
    settings = {"SMTP_HOST": mailbox.host, "SMTP_PORT": str(mailbox.port), "SMTP_FROM": SENDER, "SMTP_SECURITY": "none"}
    channel = Email.make(settings, edge())
    await channel.send(ANA, POST)
    assert len(mailbox.letters) == 1
    channel._relay.close()


@pytest.mark.parametrize(
    "name, value, stored",
    [
        ("SMTP_HOST", " smtp.example.com ", "smtp.example.com"),
        ("SMTP_PORT", "0587", "587"),
        ("SMTP_SECURITY", "TLS", "tls"),
        ("SMTP_FROM", SENDER, SENDER),
        ("SMTP_TO", "ana@example.com,Ben <ben@example.com>", "ana@example.com, Ben <ben@example.com>"),
        ("SMTP_TO", '"Doe, Ana" <ana@example.com>', '"Doe, Ana" <ana@example.com>'),
    ],
)
def test_a_setting_is_stored_in_one_form(name: str, value: str, stored: str) -> None:
    assert next(each for each in Email.fields if each.name == name).check(value) == stored


@pytest.mark.parametrize(
    "name, value",
    [
        ("SMTP_HOST", "smtp://smtp.example.com"),
        ("SMTP_HOST", "smtp.example.com:587\r\n"),
        ("SMTP_PORT", "smtp"),
        ("SMTP_PORT", "70000"),
        ("SMTP_SECURITY", "ssl"),
        ("SMTP_FROM", "gatebell"),
        ("SMTP_FROM", "Gatebell <gatebell@example.com>\r\nBcc: cleo@example.com"),
        ("SMTP_TO", "ana@example.com, ben"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        next(each for each in Email.fields if each.name == name).check(value)


# ---- the doctor ------------------------------------------------------------------------------------------------------


async def test_a_well_set_server_passes_every_check() -> None:
    async with Mailbox(security="starttls", username="ana", password="hush") as mailbox:
        checks = await email(mailbox).check()
    assert [(each.name, each.ok) for each in checks] == [
        ("Mail server", True),
        ("Mail encryption", True),
        ("Mail login", True),
        ("Mail sender", True),
    ]


async def test_plain_text_is_warned_of(mailbox: Mailbox) -> None:
    checks = await email(mailbox, username="").check()
    assert [each.cause for each in checks if each.name == "Mail encryption" and each.ok] == [
        "Every mail travels in plain text, as SMTP_SECURITY=none says."
    ]


@pytest.mark.parametrize(
    "mailbox_speaks, set_to, trusting, failed, mend",
    [
        ("none", Security.STARTTLS, False, "Mail encryption", "SMTP_SECURITY=tls"),
        ("none", Security.TLS, False, "Mail server", "SMTP_SECURITY=starttls"),
        ("starttls", Security.STARTTLS, False, "Mail encryption", "SSL_CERT_FILE"),
        ("tls", Security.TLS, False, "Mail server", "SSL_CERT_FILE"),
    ],
)
async def test_the_doctor_names_the_mend(
    mailbox_speaks: str, set_to: Security, trusting: bool, failed: str, mend: str
) -> None:
    async with Mailbox(security=mailbox_speaks) as mailbox:
        checks = await email(mailbox, security=set_to, trusting=trusting).check()
    assert [(each.name, mend in each.mend) for each in checks if not each.ok] == [(failed, True)]


async def test_the_doctor_knows_the_port_that_speaks_tls_from_the_first_byte() -> None:
    channel = Email(SENDER, "", Relay(Server("127.0.0.1", 465), patience=0.3), edge())
    assert [each.mend for each in await channel.check()] == [
        "Port 465 speaks TLS from the first byte: set SMTP_SECURITY=tls."
    ]


async def test_the_doctor_says_that_the_login_is_refused() -> None:
    async with Mailbox(username="ana", password="right") as mailbox:
        checks = await email(mailbox, password="hush").check()
    assert [(each.name, "SMTP_PASSWORD" in each.mend) for each in checks if not each.ok] == [("Mail login", True)]


async def test_the_doctor_says_that_the_sender_is_refused(mailbox: Mailbox) -> None:
    mailbox.fail(failure.status(553), path="MAIL")
    checks = await email(mailbox).check()
    assert [(each.name, "SMTP_FROM" in each.mend) for each in checks if not each.ok] == [("Mail sender", True)]


async def test_the_doctor_sends_nothing(mailbox: Mailbox) -> None:
    await email(mailbox).check()
    assert mailbox.letters == []


async def test_the_doctor_says_what_is_missing() -> None:
    assert [each.cause for each in await Email.make({}, edge()).check()] == ["SMTP_HOST and SMTP_FROM missing"]
