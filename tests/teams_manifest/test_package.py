"""What an owner uploads to Teams."""

import hashlib
import json
import struct
import zlib
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from jsonschema import Draft4Validator

import teams_manifest
from bot.conversations.commands import Command
from scripts import draw_icons
from teams_manifest import TeamsApp, Unfit, manifest, package

SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "teams-manifest"
BOT = "11111111-2222-4333-8444-555555555555"
APP = TeamsApp(BOT, "https://gatebell.example.com")


def opened(app: TeamsApp = APP) -> ZipFile:
    return ZipFile(BytesIO(package(app)))


# ---- the manifest --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SCHEMA.is_dir(), reason="Microsoft's schema does not lie beside this clone")
@pytest.mark.parametrize(
    "app",
    [
        APP,
        TeamsApp(BOT.upper(), "https://gatebell.example.com:8443/bell/", "G" * 30, "F" * 100, "D" * 32, "10.20.30"),
        replace(APP, privacy="https://example.com/privacy", terms="https://example.com/terms"),
    ],
)
def test_it_is_what_microsofts_schema_takes(app: TeamsApp) -> None:
    schema = Draft4Validator(json.loads((SCHEMA / "MicrosoftTeams.schema.v1.19.json").read_text()))
    assert [error.message for error in schema.iter_errors(manifest(app))] == []


def lengths(made: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """What the format limits: how long it is, and how long it may be."""
    commands = [command for each in made["bots"][0]["commandLists"] for command in each["commands"]]
    return {
        "developer": (len(made["developer"]["name"]), 32),
        "short name": (len(made["name"]["short"]), 30),
        "full name": (len(made["name"]["full"]), 100),
        "short description": (len(made["description"]["short"]), 80),
        "full description": (len(made["description"]["full"]), 4000),
        "commands": (len(commands), 10),
        "command": (max(len(command["title"]) for command in commands), 32),
        "what a command does": (max(len(command["description"]) for command in commands), 128),
        "domains": (len(made["validDomains"]), 16),
    }


def test_nothing_is_longer_than_the_format_allows() -> None:
    assert {what: size for what, size in lengths(manifest(APP)).items() if size[0] > size[1]} == {}


def test_its_ids_are_guids() -> None:
    made = manifest(APP)
    assert [str(UUID(each)) for each in (made["id"], made["bots"][0]["botId"])] == [made["id"], BOT]


def test_the_same_bot_always_has_the_same_app_id_and_another_bot_another() -> None:
    other = TeamsApp("99999999-2222-4333-8444-555555555555", APP.base_url)
    moved = replace(APP, base_url="https://elsewhere.example.com", name="Bell", version="2.0.0", app_id=BOT.upper())
    assert manifest(moved)["id"] == manifest(APP)["id"] != manifest(other)["id"]


def test_the_bot_can_be_added_to_people_teams_and_group_chats() -> None:
    assert manifest(APP)["bots"][0]["scopes"] == ["personal", "team", "groupChat"]


def test_everywhere_it_offers_the_commands_that_the_bot_answers() -> None:
    offered = [[each["title"] for each in listed["commands"]] for listed in manifest(APP)["bots"][0]["commandLists"]]
    assert offered == [[command.value for command in Command]] * 3


def test_it_is_no_one_way_bot_and_takes_no_files() -> None:
    bot = manifest(APP)["bots"][0]
    assert (bot["isNotificationOnly"], bot["supportsFiles"]) == (False, False)


@pytest.mark.parametrize(
    "base_url, domain",
    [
        ("https://gatebell.example.com", "gatebell.example.com"),
        ("https://gatebell.example.com:443/bell", "gatebell.example.com"),
        ("https://gatebell.example.com:8443/", "gatebell.example.com:8443"),
        ("https://Bücher.example/", "xn--bcher-kva.example"),
    ],
)
def test_its_domain_is_the_host_of_the_base_url(base_url: str, domain: str) -> None:
    assert manifest(replace(APP, base_url=base_url))["validDomains"] == [domain]


def test_pages_that_are_not_given_are_the_installations_own() -> None:
    developer = manifest(replace(APP, base_url="https://gatebell.example.com/"))["developer"]
    assert {developer[page] for page in ("websiteUrl", "privacyUrl", "termsOfUseUrl")} == {APP.base_url}


# ---- what cannot be packed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, setting",
    [
        ({"app_id": ""}, "TEAMS_APP_ID"),
        ({"app_id": "gatebell"}, "TEAMS_APP_ID"),
        ({"base_url": ""}, "BASE_URL"),
        ({"base_url": "gatebell.example.com"}, "BASE_URL"),
        ({"base_url": "http://gatebell.example.com"}, "BASE_URL"),
        ({"base_url": "https://localhost:8080"}, "BASE_URL"),
        ({"base_url": "https://127.0.0.1"}, "BASE_URL"),
        ({"base_url": "https://10.1.2.3"}, "BASE_URL"),
        ({"base_url": "https://[::1]:8080"}, "BASE_URL"),
        ({"base_url": "https://ana:pass@gatebell.example.com"}, "BASE_URL"),
        ({"base_url": "https://gatebell.example.com/?a=b"}, "BASE_URL"),
        ({"base_url": "https://gate bell.example.com"}, "BASE_URL"),
        ({"base_url": "https://gatebell.example.com:99999"}, "BASE_URL"),
        ({"base_url": f"https://{'a' * 64}.example.com"}, "BASE_URL"),
        ({"name": "G" * 31}, "the short name"),
        ({"name": " "}, "the short name"),
        ({"full_name": "F" * 101}, "the full name"),
        ({"developer": "D\x07"}, "the developer's name"),
        ({"version": "1.0"}, "the version"),
        ({"version": "1.0.01"}, "the version"),
        ({"privacy": "javascript:alert(1)"}, "the page about privacy"),
        ({"terms": "http://example.com/terms"}, "the terms of use"),
    ],
)
def test_what_cannot_be_right_is_named_with_its_mend(wrong: dict[str, str], setting: str) -> None:
    with pytest.raises(Unfit) as refused:
        package(replace(APP, **wrong))
    assert {flaw.setting for flaw in refused.value.flaws} >= {setting}
    assert all(flaw.mend for flaw in refused.value.flaws)


def test_all_that_is_wrong_is_said_at_once() -> None:
    flaws = TeamsApp.of({"TEAMS_APP_ID": "x", "BASE_URL": "http://localhost:8080"}).flaws()
    assert [flaw.setting for flaw in flaws] == ["TEAMS_APP_ID", "BASE_URL"]


def test_it_can_be_asked_what_is_wrong_before_a_package_is_made() -> None:
    assert TeamsApp.of({"TEAMS_APP_ID": BOT, "BASE_URL": APP.base_url}).flaws() == ()


# ---- the file ------------------------------------------------------------------------------------------------------


def test_the_package_holds_the_manifest_and_its_icons_and_nothing_else() -> None:
    with opened() as archive:
        made = json.loads(archive.read("manifest.json"))
        assert archive.namelist() == ["manifest.json", made["icons"]["color"], made["icons"]["outline"]]
        assert made == manifest(APP)


def test_every_making_gives_the_same_bytes() -> None:
    """On every machine and with every version of Python: another sum means that what is uploaded has changed."""
    packed = package(APP)
    assert packed == package(APP)
    assert hashlib.sha256(packed).hexdigest() == "f995f2233a9d164cad0b4f87b4d193768e77410dc7561c499300ab37c718b6b0"


def test_its_files_can_be_read_by_whoever_unpacks_it() -> None:
    with opened() as archive:
        assert {oct(entry.external_attr >> 16) for entry in archive.infolist()} == {"0o100644"}
        assert archive.testzip() is None


# ---- the icons -----------------------------------------------------------------------------------------------------


def pixels(png: bytes) -> tuple[int, int, int, bytes]:
    """Width, height, bytes for each pixel, and the pixels, of a PNG whose lines are not filtered."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    each = {2: 3, 6: 4}[kind]
    (length,) = struct.unpack(">I", png[33:37])
    lines = zlib.decompress(png[41 : 41 + length])
    stride = width * each + 1
    rows = [lines[start : start + stride] for start in range(0, len(lines), stride)]
    assert {row[0] for row in rows} == {0}
    return width, height, each, b"".join(row[1:] for row in rows)


def icon(name: str) -> tuple[int, int, int, bytes]:
    with opened() as archive:
        return pixels(archive.read(name))


def test_the_colour_icon_is_192_pixels_wide_and_high_without_transparency() -> None:
    assert icon("color.png")[:3] == (192, 192, 3)


def test_the_outline_is_32_pixels_wide_and_high_and_white_on_nothing() -> None:
    width, height, each, shown = icon("outline.png")
    assert (width, height, each) == (32, 32, 4)
    assert {shown[start : start + 3] for start in range(0, len(shown), 4)} == {b"\xff\xff\xff"}
    assert {0, 255} <= set(shown[3::4])


def test_the_outline_is_drawn_and_not_filled() -> None:
    shown = icon("outline.png")[3]
    alpha = [shown[3::4][row * 32 : row * 32 + 32] for row in range(32)]
    assert alpha[16][16] == 0
    assert max(alpha[16][:16]) == max(alpha[16][17:]) == 255
    assert all(row == row[::-1] for row in alpha)


@pytest.mark.parametrize(
    "name, drawn", [("color.png", draw_icons.colour_icon), ("outline.png", draw_icons.outline_icon)]
)
def test_the_icons_are_those_that_the_script_draws(name: str, drawn: Any) -> None:
    assert icon(name) == pixels(drawn())


def test_pages_may_import_every_name_that_it_offers() -> None:
    """They may use the package and nothing below it, so no module may have the name of what is offered."""
    assert [name for name in teams_manifest.__all__ if isinstance(getattr(teams_manifest, name), ModuleType)] == []
    assert [name for name in teams_manifest.__all__ if find_spec(f"teams_manifest.{name}")] == []
