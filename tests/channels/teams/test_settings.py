"""What an owner may type, and which hosts may get the bot's token."""

import pytest

from bot.channels.contract import Reason
from bot.channels.teams_addresses import ServiceHosts
from bot.channels.teams_errors import transport_error
from bot.channels.teams_settings import FIELDS, TeamsSettings

CHECKS = {field.name: field.check for field in FIELDS}
GUID = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    "name, typed, stored",
    [
        ("TEAMS_APP_ID", f" {GUID.upper()} ", GUID),
        ("TEAMS_APP_ID", f"{{{GUID}}}", GUID),
        ("TEAMS_CLIENT_SECRET", " 8Q~abc ", "8Q~abc"),
        ("TEAMS_CONVERSATION_ID", "19:abc@thread.tacv2", "19:abc@thread.tacv2"),
        ("TEAMS_SERVICE_URL", "https://smba.trafficmanager.net/emea", "https://smba.trafficmanager.net/emea/"),
        ("TEAMS_SERVICE_URL", "http://127.0.0.1:9000", "http://127.0.0.1:9000/"),
        ("TEAMS_LOGIN_URL", "https://login.microsoftonline.us/", "https://login.microsoftonline.us"),
        ("TEAMS_SERVICE_URL_HOSTS", "a.example, b.example:8443", "a.example,b.example:8443"),
    ],
)
def test_a_right_value_is_kept_in_one_form(name: str, typed: str, stored: str) -> None:
    assert CHECKS[name](typed) == stored


@pytest.mark.parametrize(
    "name, typed, says",
    [
        ("TEAMS_APP_ID", "my bot", "GUID"),
        ("TEAMS_TENANT_ID", "contoso.example", "GUID"),
        ("TEAMS_CLIENT_SECRET", GUID, "secret's id"),
        ("TEAMS_CONVERSATION_ID", "two words", "no spaces"),
        ("TEAMS_SERVICE_URL", "http://smba.trafficmanager.net/emea/", "https"),
        ("TEAMS_SERVICE_URL", "smba.trafficmanager.net", "look like"),
        ("TEAMS_LOGIN_URL", "http://login.example", "https"),
        ("TEAMS_SERVICE_URL_HOSTS", "https://a.example/x", "neither a host"),
        ("TEAMS_SERVICE_URL_HOSTS", "*.example", "neither a host"),
    ],
)
def test_a_wrong_value_is_refused_in_words(name: str, typed: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CHECKS[name](typed)


OWN = ServiceHosts.parse("127.0.0.1:9000, teams.mine.example, relay.mine.example:8443")


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net/amer/99999999-8888-4777-8666-555555555555/",
        "https://europe.api.botframework.com/",
        "https://smba.infra.gcc.teams.microsoft.com/gcc/",
        "https://smba.infra.gov.teams.microsoft.us/gov/",
        "https://smba.infra.dod.teams.microsoft.us/dod/",
        "https://SMBA.TrafficManager.net/emea/",
        "http://127.0.0.1:9000/amer/",
        "https://teams.mine.example/x",
        "https://relay.mine.example:8443/",
    ],
)
def test_an_allowed_service_url_is_taken(url: str) -> None:
    assert OWN.allowed(url).endswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://smba.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net:8443/",
        "https://evil.trafficmanager.net/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://smba.trafficmanager.net./",
        "https://botframework.com/",
        "https://evilbotframework.com/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://user@smba.trafficmanager.net/",
        "https://evil.example/?x=https://smba.trafficmanager.net/",
        "https://smba.trafficmanager.net/?x=1",
        "https://smba.trafficmanager.net/#x",
        "https://evil.example\\@smba.trafficmanager.net/",
        "https://smba.trafficmanager.net\t.evil.example/",
        "http://127.0.0.1:9001/",
        "http://127.0.0.1/",
        "http://teams.mine.example/",
        "https://relay.mine.example/",
        "ftp://smba.trafficmanager.net/",
        "https:///emea/",
        "//smba.trafficmanager.net/",
        "https://smba.trafficmanager.net:99999/",
        "",
    ],
)
def test_any_other_service_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        OWN.allowed(url)


def test_a_government_issuer_asks_for_its_own_scope() -> None:
    settings = TeamsSettings.of({"TEAMS_TOKEN_ISSUER": "https://api.botframework.us"})
    assert settings.scope == "https://api.botframework.us/.default"


def test_the_secret_is_not_in_the_settings_words() -> None:
    assert "hush" not in repr(TeamsSettings.of({"TEAMS_CLIENT_SECRET": "hush"}))


def test_a_call_that_takes_too_long_timed_out() -> None:
    assert transport_error(TimeoutError(), "Teams").reason is Reason.TIMED_OUT
