import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiohttp import ClientConnectionError, ClientSession

from bot.rehearsal.failure import status
from bot.rehearsal.mail import Mailbox
from bot.store.migrate import bring_up_to_date
from tests.cli.conftest import Shell
from tests.conftest import postgres_execute


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    await mailbox.start()
    yield mailbox
    await mailbox.stop()


def mail_settings(mailbox: Mailbox) -> dict[str, str]:
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mailbox.port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "bell@example.com",
        "CHAIN": "email",
    }


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ready(http: ClientSession, address: str) -> bool:
    """Whether it answers within half a minute."""
    for _ in range(300):
        try:
            async with http.get(address) as response:
                return response.status == 200
        except ClientConnectionError:
            await asyncio.sleep(0.1)
    return False


async def test_a_word_is_sent_without_a_server(shell: Shell, mailbox: Mailbox) -> None:
    await asyncio.to_thread(shell.run, "operator", "add", "ana@example.com", "--role", "admin")
    sending = await shell.start("send", "Backups are done\nAll of them.", **mail_settings(mailbox))
    code, out, err = await ended(sending)
    assert (code, out, err) == (0, "sent on email\n", "")
    assert [letter.recipients for letter in mailbox.letters] == [("ana@example.com",)]


async def test_a_word_to_a_stranger_is_refused(shell: Shell, mailbox: Mailbox) -> None:
    code, _, err = await ended(await shell.start("send", "Hello", "--to", "cleo@example.com", **mail_settings(mailbox)))
    assert code == 1
    assert "cleo@example.com" in err
    assert "Traceback" not in err


async def test_a_word_for_one_channel_goes_to_no_other(shell: Shell, mailbox: Mailbox) -> None:
    await asyncio.to_thread(shell.run, "operator", "add", "ana@example.com", "--role", "admin")
    words = ("send", "Hello", "--channel", "slack", "--wait", "2")
    code, out, _ = await ended(await shell.start(*words, **mail_settings(mailbox)))
    assert (code, out.startswith("sent"), mailbox.letters) == (1, False, [])


async def test_what_does_not_arrive_is_said(shell: Shell, mailbox: Mailbox) -> None:
    await asyncio.to_thread(shell.run, "operator", "add", "ana@example.com", "--role", "admin")
    mailbox.fail(status(550), path="RCPT")
    code, out, _ = await ended(await shell.start("send", "Hello", "--wait", "2", **mail_settings(mailbox)))
    assert code == 1
    assert not out.startswith("sent")


async def test_a_server_starts_answers_and_stops_in_order(shell: Shell) -> None:
    port = free_port()
    process = await shell.start("serve", PORT=str(port), LOG_FORMAT="json")
    async with ClientSession() as http:
        assert await ready(http, f"http://127.0.0.1:{port}/readyz")
    process.send_signal(signal.SIGTERM)
    code, _, err = await ended(process)
    assert (code, {json.loads(line)["level"] for line in err.splitlines()}) == (0, {"info"})


async def test_a_server_with_wrong_settings_lists_them_and_ends_with_2(shell: Shell) -> None:
    code, _, err = await ended(await shell.start("serve", PORT="http", PACING="maybe"))
    assert (code, "PORT" in err, "PACING" in err, "Traceback" in err) == (2, True, True, False)


async def test_the_database_is_for_its_owner_alone_in_a_directory_that_others_may_enter(shell: Shell) -> None:
    shell.folder.chmod(0o755)
    (shell.folder / "gatebell.db").unlink()
    await ended(await shell.start("operator", "add", "ana@example.com"))
    assert {file.stat().st_mode & 0o077 for file in shell.folder.glob("gatebell.db*")} == {0}


async def test_a_server_says_when_its_port_is_taken(shell: Shell, mailbox: Mailbox) -> None:
    code, _, err = await ended(await shell.start("serve", PORT=str(mailbox.port)))
    said = f"port {mailbox.port} of 127.0.0.1 is taken by another program. Choose another: PORT={mailbox.port + 1} "
    assert (code, said in err, "or stop what runs there" in err, "Traceback" in err) == (1, True, True, False)


async def test_a_server_that_is_to_listen_on_a_foreign_address_says_so(shell: Shell) -> None:
    code, _, err = await ended(await shell.start("serve", HOST="203.0.113.1", PORT=str(free_port())))
    assert code == 1
    assert "203.0.113.1 is no address of this machine. Set HOST" in err


async def test_a_second_server_on_the_same_data_says_that_one_runs_already(shell: Shell) -> None:
    port = free_port()
    first = await shell.start("serve", PORT=str(port))
    async with ClientSession() as http:
        assert await ready(http, f"http://127.0.0.1:{port}/readyz")
    code, _, err = await ended(await shell.start("serve", PORT=str(port)))
    first.send_signal(signal.SIGTERM)
    await ended(first)
    assert (code, f"Gatebell already runs on this data directory ({shell.folder})" in err) == (1, True)


async def test_the_first_start_prints_where_the_set_up_begins(shell: Shell) -> None:
    port = free_port()
    process = await shell.start("serve", PORT=str(port))
    async with ClientSession() as http:
        assert await ready(http, f"http://127.0.0.1:{port}/readyz")
        assert process.stdout
        said = ""
        while "/setup/" not in said:
            said = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        async with http.get(said.strip()) as response:
            page = await response.text()
    process.send_signal(signal.SIGTERM)
    code, _, err = await ended(process)
    assert (code, "first admin" in page, said.strip() in err) == (0, True, False)


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file "base/1/2": No space left on device';
END $$;
CREATE TRIGGER full_disk BEFORE INSERT OR DELETE ON login_link FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
"""
READ_ONLY = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$
"""
NO_COPY = "Is that a copy that takes no changes? Let DATABASE_URL name the one that does, or allow them."
NO_ROOM = "Make room on the disk where it lies."


async def test_a_postgresql_that_is_read_only_before_the_first_start_ends_the_server_with_a_sentence(
    shell: Shell, postgres_database: str
) -> None:
    postgres_execute(postgres_database, READ_ONLY)
    said = await refused_to_serve(shell, postgres_database)
    assert f"refuses us: cannot execute CREATE TABLE in a read-only transaction. {NO_COPY}" in said


async def test_a_postgresql_that_is_read_only_at_the_start_ends_the_server_with_a_sentence(
    shell: Shell, postgres_database: str
) -> None:
    await bring_up_to_date(postgres_database)
    postgres_execute(postgres_database, READ_ONLY)
    assert f"in a read-only transaction. {NO_COPY}" in await refused_to_serve(shell, postgres_database)


async def test_a_postgresql_that_is_full_at_the_start_ends_the_server_with_a_sentence(
    shell: Shell, postgres_database: str
) -> None:
    await bring_up_to_date(postgres_database)
    postgres_execute(postgres_database, FULL)
    assert f"No space left on device. {NO_ROOM}" in await refused_to_serve(shell, postgres_database)


async def test_a_postgresql_in_which_no_table_may_be_made_is_told_with_what_it_takes(
    shell: Shell, postgres_database: str
) -> None:
    guest = f"guest_{uuid4().hex}"
    postgres_execute(postgres_database, f"CREATE ROLE {guest} LOGIN")
    said = await refused_to_serve(shell, postgres_database.replace("postgres:@", f"{guest}:@"))
    postgres_execute(postgres_database, f"DROP ROLE {guest}")
    assert "permission denied for schema public. Its user needs a database of its own" in said


async def test_a_file_that_is_no_database_is_told_by_its_path(shell: Shell) -> None:
    (shell.folder / "gatebell.db").write_text("These are words. " * 100)
    said = await refused_to_serve(shell, f"sqlite:///{shell.folder}/gatebell.db")
    assert f"The database at {shell.folder}/gatebell.db refuses us: file is not a database." in said


async def refused_to_serve(shell: Shell, url: str) -> str:
    """Why the server did not start; it ends by itself, with 1 and without a trace."""
    process = await shell.start("serve", DATABASE_URL=url, PORT=str(free_port()))
    code, _, err = await asyncio.wait_for(ended(process), 30)
    assert (code, "Traceback" in err) == (1, False)
    return next(str(json.loads(line)["message"]) for line in err.splitlines() if "cannot serve: The database" in line)
