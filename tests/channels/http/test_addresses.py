"""Which addresses may be called, in every form in which an address can be written."""

import ipaddress
import socket

import pytest

from bot.channels.http import Allowed, check_form, check_resolved, check_url
from bot.channels.http_addresses import is_public
from bot.core_fields import CORE
from tests.channels.http.names import Names

PRIVATE_URLS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0:8080/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.88.99.1/",
    "http://198.18.0.1/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://localhost/",
    "http://LOCALHOST:9000/",
    "http://localhost./",
    "http://api.localhost/",
    "http://metadata.google.internal/",
    "http://printer/",
    "http://nas.home.arpa/",
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
]

PUBLIC_URLS = [
    "https://hooks.example.com/a?b=c",
    "http://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://hooks.example.com:8443/",
    "https://bücher.example/",
]

UNFIT_URLS = [
    "",
    "hooks.example.com",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://ana:secret@hooks.example.com/",
    "https://ana@hooks.example.com/",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com/\r\nHost: evil.example",
    "https://hooks .example.com/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    "https://999.1.1.1/",
    "https://1.2.3.4.5/",
    "https://0x100000000/",
    "https://[::1",
]


@pytest.mark.parametrize("url", PRIVATE_URLS)
def test_a_private_address_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(ValueError, match="not a public address"):
        check_url(url)


@pytest.mark.parametrize("url", PUBLIC_URLS)
def test_a_public_address_is_taken(url: str) -> None:
    assert check_url(url)


@pytest.mark.parametrize("url", UNFIT_URLS)
def test_what_is_no_plain_http_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        check_form(url)


@pytest.mark.parametrize(
    "given, stored",
    [
        ("  HTTPS://Hooks.Example.COM/Path ", "https://hooks.example.com/Path"),
        ("https://hooks.example.com/a?token=1#part", "https://hooks.example.com/a?token=1"),
        ("http://0x7f.1:9000/x", "http://127.0.0.1:9000/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_an_address_is_stored_in_one_form(given: str, stored: str) -> None:
    assert check_form(given) == stored


@pytest.mark.parametrize(
    "allowed, url",
    [
        ("127.0.0.1", "http://127.0.0.1:9000/"),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/"),
        ("127.0.0.1", "http://2130706433/"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ("10.0.0.0/8, 192.168.0.0/16", "http://192.168.7.7/"),
        ("fd00::/8", "http://[fd00::7]/"),
        ("[::1]:9000", "http://[::1]:9000/"),
        ("::1", "http://[::1]:9000/"),
        ("automation.internal", "http://automation.internal/"),
        ("Automation.Internal:9000", "http://automation.internal:9000/"),
        ("localhost", "http://localhost:3000/"),
    ],
)
def test_what_the_owner_allows_is_taken(allowed: str, url: str) -> None:
    assert check_url(url, Allowed.parse(allowed))


@pytest.mark.parametrize(
    "allowed, url",
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9001/"),
        ("127.0.0.2", "http://127.0.0.1/"),
        ("10.0.0.0/8", "http://11.0.0.1:80@10.0.0.1/"),
        ("automation.internal:9000", "http://automation.internal/"),
        ("internal", "http://metadata.internal/"),
        ("localhost", "http://127.0.0.1/"),
    ],
)
def test_what_the_owner_allows_opens_nothing_else(allowed: str, url: str) -> None:
    with pytest.raises(ValueError):
        check_url(url, Allowed.parse(allowed))


@pytest.mark.parametrize("text", ["127.0.0.1:9000", "[::1]:9000", "::1", "Automation.Internal:9000", "10.0.0.0/8"])
def test_the_setting_takes_what_the_guard_understands(text: str) -> None:
    setting = next(each for each in CORE if each.name == "ALLOWED_PRIVATE_HOSTS")
    assert Allowed.parse(setting.check(text)) == Allowed.parse(text)


@pytest.mark.parametrize("text", ["http://a.internal", "10.0.0.0/99", "a b", "-x"])
def test_a_wrong_entry_of_the_allowed_list_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="neither a host"):
        Allowed.parse(f"ok.internal, {text}")


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "2002:808:808::", "8.8.8.8", "2606:4700::1"])
def test_a_public_address_inside_another_stays_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


# ---- names -----------------------------------------------------------------------------------------------------------

HOOK = "http://hooks.example.com/told"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00:ec2::254", "8.8.8.8 10.0.0.7"]
)
async def test_a_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"hooks\.example\.com is not a public address"):
        await check_resolved(HOOK, Allowed(), Names(address))


async def test_a_name_that_leads_to_public_addresses_is_taken() -> None:
    assert await check_resolved(HOOK, Allowed(), Names("8.8.8.8 2606:4700::1111")) == HOOK


@pytest.mark.parametrize("allowed", ["hooks.example.com", "10.0.0.0/8"])
async def test_a_private_name_is_taken_where_the_owner_allows_it(allowed: str) -> None:
    assert await check_resolved(HOOK, Allowed.parse(allowed), Names("10.0.0.7")) == HOOK


async def test_a_name_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no host called hooks\.example\.com"):
        await check_resolved(HOOK, Allowed(), Names(socket.gaierror(socket.EAI_NONAME, "unknown")))


@pytest.mark.parametrize("silence", [socket.gaierror(socket.EAI_AGAIN, "try again"), TimeoutError()], ids=repr)
async def test_where_no_name_server_answers_connecting_judges(silence: OSError) -> None:
    assert await check_resolved(HOOK, Allowed(), Names(silence)) == HOOK


async def test_a_name_server_is_not_waited_for_longer_than_a_few_seconds() -> None:
    assert await check_resolved(HOOK, Allowed(), Names(never=True), seconds=0.01) == HOOK
