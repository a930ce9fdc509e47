"""Pages do not drift from the code: generated parts are up to date, links lead somewhere."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.channels.registry import fields
from bot.core_fields import CORE
from bot.settings import load
from docs.__main__ import PARTS, written_anew
from tests.docs.reading import ROOT, anchors, blocks, links, pages

every_part = pytest.mark.parametrize("place", PARTS, ids="/".join)
every_page = pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))


@every_part
def test_a_generated_part_is_up_to_date(place: tuple[str, str]) -> None:
    file, name = place
    page = (ROOT / file).read_text()
    assert page == written_anew(page, name, PARTS[place]()), "run `make docs`"


@every_part
@pytest.mark.parametrize("spoil", [lambda page: page + page, lambda page: page.replace("<!--", "<!")])
def test_a_page_without_its_marks_is_noticed(place: tuple[str, str], spoil: Callable[[str], str]) -> None:
    file, name = place
    with pytest.raises(ValueError, match=f"end of {name}"):
        written_anew(spoil((ROOT / file).read_text()), name, "")


def test_the_readme_lists_every_setting_and_every_other_name_of_it() -> None:
    page = (ROOT / "README.md").read_text()
    names = [name for field in (*CORE, *fields()) for name in (field.name, *field.aliases)]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_readme_sets_up_in_less_than_ten_lines() -> None:
    shown = next(block.text for block in blocks("README.md") if block.language == "ini")
    assert len(shown.splitlines()) < 10


def test_the_pages_name_no_setting_that_is_none() -> None:
    known = {name for field in (*CORE, *fields()) for name in (field.name, *field.aliases)}
    others = {"GATEBELL_URL", "GATEBELL_API_KEY", "SSL_CERT_FILE", "HTTPS_PROXY"}
    written = re.compile(r"^([A-Z][A-Z0-9_]{3,})=", re.MULTILINE)
    shown = {
        name
        for page in pages()
        for block in blocks(str(page.relative_to(ROOT)))
        if block.language == "ini"
        for name in written.findall(block.text)
    }
    assert shown - known - others == set()


def test_the_unit_for_systemd_keeps_the_data_directory_to_its_user() -> None:
    """systemd would make it readable for everybody, and the database in it holds requests in the clear."""
    unit = next(block.text for block in blocks("docs/operating.md") if "[Service]" in block.text)
    assert {"StateDirectory=gatebell", "StateDirectoryMode=0700"} <= set(unit.splitlines())


THEIRS = {
    "MCPGATEWAY_ALERTING_ENABLED": "off",
    "MCP_ALERT_SLACK_TOKEN": "xoxb-1-2-abc",
    "MCP_ALERT_SLACK_CHANNEL": "#alerts",
    "MCP_ALERT_EMAIL_SMTP_HOST": "smtp.example.com",
    "MCP_ALERT_EMAIL_FROM": "gateway@example.com",
    "MCP_ALERT_EMAIL_TO": "ops@example.com, ana@example.com",
    "MCP_ALERT_WEBHOOK_URL": "https://hooks.example.com/a",
    "MCPGATEWAY_ALERT_WEBHOOK_URL": "https://hooks.example.com/b",
}


@pytest.mark.parametrize("theirs, value", THEIRS.items())
def test_a_setting_of_another_gateway_is_understood(tmp_path: Path, theirs: str, value: str) -> None:
    row = re.search(rf"^\| `{theirs}` \| `(\w+)` \|", (ROOT / "docs" / "migrating.md").read_text(), re.MULTILINE)
    assert row
    assert load(fields(), {theirs: value}, tmp_path / "data", tmp_path)[row[1]] == value


def test_every_setting_of_another_gateway_is_tried() -> None:
    assert sorted(THEIRS) == sorted(name for field in (*CORE, *fields()) for name in field.aliases)


@every_page
def test_every_link_leads_somewhere(page: object) -> None:
    path = next(each for each in pages() if each == page)
    lost = []
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []
