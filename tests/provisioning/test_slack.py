"""From what Slack makes the app."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from bot.channels import slack_check
from bot.conversations.commands import Command
from bot.provisioning import GRANTS, MINIMAL, SlackApp, Unreachable, creation_link, slack_manifest

SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "slack"
ADDRESS = "https://raw.githubusercontent.com/slackapi/manifest-schema/v0.5.0/schemas/manifest.schema.{}.json"
URL = "https://gatebell.example.com"
CALLED = f"{URL}/slack/events"
OVER_HTTP = SlackApp(URL)
OVER_SOCKET = SlackApp(socket_mode=True)
ALL = [OVER_HTTP, OVER_SOCKET, SlackApp(URL, minimal=True), SlackApp(socket_mode=True, minimal=True)]


def validator() -> Draft7Validator:
    def loaded(name: str) -> Any:
        return json.loads((SCHEMAS / f"slack-app-manifest.schema{name}.json").read_text())

    parts = [(ADDRESS.format(version), loaded(f".{version}")) for version in ("1.0.0", "2.0.0")]
    registry = Registry().with_resources([(name, Resource.from_contents(part)) for name, part in parts])
    return Draft7Validator(loaded(""), registry=registry)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="Slack's schema does not lie beside this clone")
@pytest.mark.parametrize("app", [*ALL, SlackApp(URL, name="G" * 35)])
def test_it_is_what_slacks_schema_takes(app: SlackApp) -> None:
    assert [error.message for error in validator().iter_errors(slack_manifest(app))] == []


@pytest.mark.parametrize("app", ALL)
def test_nothing_is_longer_than_slack_allows(app: SlackApp) -> None:
    shown = slack_manifest(app)["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000


def urls(part: Any) -> list[str]:
    """Every address in it."""
    match part:
        case dict():
            return [url for value in part.values() for url in urls(value)]
        case list():
            return [url for value in part for url in urls(value)]
        case str() if part.startswith("http"):
            return [part]
    return []


def test_over_http_events_buttons_and_the_command_come_to_the_server() -> None:
    made = slack_manifest(OVER_HTTP)
    assert made["settings"]["event_subscriptions"]["request_url"] == CALLED
    assert made["settings"]["interactivity"] == {"is_enabled": True, "request_url": CALLED}
    assert made["features"]["slash_commands"][0]["url"] == CALLED
    assert urls(made) == [CALLED] * 3


@pytest.mark.parametrize("app", [OVER_SOCKET, SlackApp(URL, socket_mode=True)])
def test_over_a_socket_no_address_is_told(app: SlackApp) -> None:
    made = slack_manifest(app)
    assert (urls(made), made["settings"]["socket_mode_enabled"]) == ([], True)


def test_a_path_and_a_slash_at_the_end_of_the_base_url_are_kept_apart() -> None:
    assert set(urls(slack_manifest(SlackApp(f"{URL}/bell/")))) == {f"{URL}/bell/slack/events"}


def scopes(app: SlackApp) -> list[str]:
    listed: list[str] = slack_manifest(app)["oauth_config"]["scopes"]["bot"]
    return listed


def test_the_smallest_app_sends_and_knows_people_and_no_more() -> None:
    made = slack_manifest(SlackApp(URL, minimal=True))
    assert scopes(SlackApp(URL, minimal=True)) == ["chat:write", "users:read", "users:read.email"]
    assert ("event_subscriptions" in made["settings"], "slash_commands" in made["features"]) == (False, False)
    assert made["settings"]["interactivity"]["is_enabled"]


def test_the_whole_app_also_hears_what_is_written_to_it() -> None:
    assert scopes(OVER_HTTP)[3:] == ["im:history", "app_mentions:read", "commands"]
    assert slack_manifest(OVER_HTTP)["settings"]["event_subscriptions"]["bot_events"] == ["message.im", "app_mention"]


@pytest.mark.parametrize("minimal", [True, False])
def test_people_may_write_to_the_bot_only_where_it_hears_them(minimal: bool) -> None:
    home = slack_manifest(SlackApp(URL, minimal=minimal))["features"]["app_home"]
    assert (home["messages_tab_enabled"], home["messages_tab_read_only_enabled"]) == (True, minimal)


def test_the_command_offers_what_the_bot_answers() -> None:
    offered = slack_manifest(OVER_HTTP)["features"]["slash_commands"][0]["usage_hint"]
    assert offered.split(" | ") == [command.value for command in Command]


def test_every_right_says_what_it_is_for_and_what_is_lost_without_it() -> None:
    assert [grant.scope for grant in GRANTS if not grant.purpose.endswith(".") or not grant.without.endswith(".")] == []
    assert GRANTS[: len(MINIMAL)] == MINIMAL


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "gatebell.example.com",
        "http://gatebell.example.com",
        "https://localhost:8080",
        "https://127.0.0.1",
        "https://10.0.0.1/bell",
        "https://[::1]",
        "https://[::1",
        "https://gatebell.example.com/?a=b",
    ],
)
def test_an_address_that_slack_cannot_call_is_refused(base_url: str) -> None:
    with pytest.raises(Unreachable):
        slack_manifest(SlackApp(base_url))


@pytest.mark.parametrize("name", ["", "G" * 36])
def test_a_name_that_slack_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 35"):
        slack_manifest(SlackApp(URL, name=name))


@pytest.mark.parametrize("app", ALL)
def test_the_link_holds_the_whole_manifest(app: SlackApp) -> None:
    link = urlsplit(creation_link(slack_manifest(app)))
    asked = parse_qs(link.query)
    assert f"{link.scheme}://{link.netloc}{link.path}" == "https://api.slack.com/apps"
    assert asked["new_app"] == ["1"]
    assert json.loads(asked["manifest_json"][0]) == slack_manifest(app)


def test_the_link_is_short_enough_for_every_browser_and_proxy() -> None:
    assert len(creation_link(slack_manifest(OVER_HTTP))) < 4000


def test_the_doctor_asks_for_no_right_that_the_app_was_not_given() -> None:
    assert tuple(grant.scope for grant in MINIMAL) == slack_check.SENDING
    assert set(slack_check.CHATTING) <= {grant.scope for grant in GRANTS}
