import asyncio
import ssl
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest

from bot.rehearsal import failure
from bot.rehearsal.mail import Mailbox, Security


def mail(to: str = "ana@example.com", subject: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Gateway <gate@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@example.com>"
    message.set_content("Read https://gate.example/d/1 now.\n")
    message.add_alternative('<p>Read <a href="https://gate.example/d/1">it</a></p>', subtype="html")
    return message


def client(mailbox: Mailbox, **more: Any) -> aiosmtplib.SMTP:
    secured = mailbox.security is not Security.NONE
    context = ssl.create_default_context(cafile=str(mailbox.ca_path)) if secured else None
    return aiosmtplib.SMTP(
        hostname="localhost",
        port=mailbox.port,
        use_tls=mailbox.security is Security.TLS,
        start_tls=mailbox.security is Security.STARTTLS,
        tls_context=context,
        timeout=2,
        **more,
    )


@pytest.mark.parametrize("security", list(Security))
async def test_a_letter_arrives_over_every_kind_of_connection(security: Security) -> None:
    async with Mailbox(security=security) as mailbox, client(mailbox) as smtp:
        await smtp.send_message(mail())
        assert [each.subject for each in mailbox.of("Ana@Example.com")] == ["Hello"]


async def test_a_letter_shows_its_parts_and_links() -> None:
    async with Mailbox() as mailbox, client(mailbox) as smtp:
        await smtp.send_message(mail())
        (letter,) = await mailbox.wait_for(1, to="ana@example.com")
        assert letter.text == "Read https://gate.example/d/1 now.\n"
        assert letter.links == ["https://gate.example/d/1"]
        assert letter.message_id == "<1@example.com>"


async def test_an_untrusted_authority_is_refused_by_the_client() -> None:
    async with Mailbox(security=Security.TLS) as mailbox:
        stranger = aiosmtplib.SMTP(hostname="localhost", port=mailbox.port, use_tls=True, timeout=2)
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await stranger.connect()


async def test_mail_before_starttls_is_refused() -> None:
    async with Mailbox(security=Security.STARTTLS) as mailbox:
        plain = aiosmtplib.SMTP(hostname="localhost", port=mailbox.port, start_tls=False, timeout=2)
        async with plain:
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await plain.send_message(mail())
            assert refused.value.code == 530


async def test_the_right_login_is_let_in() -> None:
    async with Mailbox(security="starttls", username="gate", password="open") as mailbox:
        async with client(mailbox, username="gate", password="open") as smtp:
            await smtp.send_message(mail())
        assert len(mailbox.letters) == 1


async def test_a_wrong_password_is_refused() -> None:
    async with Mailbox(security="starttls", username="gate", password="open") as mailbox:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await client(mailbox, username="gate", password="shut").connect()


async def test_mail_without_the_wanted_login_is_refused() -> None:
    async with Mailbox(security="starttls", username="gate", password="open") as mailbox, client(mailbox) as smtp:
        with pytest.raises(aiosmtplib.SMTPSenderRefused):
            await smtp.send_message(mail())


@pytest.mark.parametrize(
    "code, stage",
    [(421, "CONNECT"), (421, "MAIL"), (450, "RCPT"), (451, "DATA"), (550, "RCPT"), (552, "DATA")],
)
async def test_the_mailbox_answers_with_the_code_it_was_told(code: int, stage: str) -> None:
    async with Mailbox() as mailbox:
        mailbox.fail(failure.status(code), path=stage)
        with pytest.raises((aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused)) as refused:
            await aiosmtplib.send(mail(), hostname="localhost", port=mailbox.port, start_tls=False, timeout=2)
        error: Any = refused.value
        codes = [each.code for each in getattr(error, "recipients", [error])]
        assert codes == [code]
        assert mailbox.letters == []


async def test_a_connection_lost_after_data_leaves_a_letter_and_no_answer() -> None:
    async with Mailbox() as mailbox:
        mailbox.fail(failure.reset(late=True), times=1)
        with pytest.raises(aiosmtplib.SMTPException):
            await aiosmtplib.send(mail(), hostname="localhost", port=mailbox.port, start_tls=False, timeout=2)
        assert len(mailbox.letters) == 1


async def test_a_hanging_server_lets_the_client_run_into_its_own_limit() -> None:
    async with Mailbox() as mailbox:
        mailbox.fail(failure.hang())
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await aiosmtplib.send(mail(), hostname="localhost", port=mailbox.port, start_tls=False, timeout=0.3)


async def test_only_the_named_reader_is_refused() -> None:
    async with Mailbox() as mailbox, client(mailbox) as smtp:
        mailbox.fail(failure.status(550), path="RCPT", to="ana@example.com")
        await smtp.send_message(mail("ben@example.com"))
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await smtp.send_message(mail("ana@example.com"))


async def test_two_letters_over_one_connection_count_as_one_connection() -> None:
    async with Mailbox() as mailbox, client(mailbox) as smtp:
        await smtp.send_message(mail())
        await smtp.send_message(mail())
        assert mailbox.connections == 1


async def test_a_watcher_hears_of_each_letter() -> None:
    heard = asyncio.Event()
    async with Mailbox() as mailbox, client(mailbox) as smtp:
        mailbox.on_change(lambda _: heard.set())
        await smtp.send_message(mail())
        await asyncio.wait_for(heard.wait(), 1)
