"""The container cannot be built without an engine; what can be known without one is held here."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("made")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(made),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(made.glob("gatebell-*.whl"))


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


@pytest.mark.parametrize(
    "inside",
    [
        "bot/admin/templates/decision.html",
        "bot/admin/static/gatebell.css",
        "bot/admin/static/vendor/adaptivecards.min.js",
        "bot/store/migrations/versions/v0001_first_tables.py",
        "bot/store/migrations/env.py",
        "renderers/templates/mail.html",
        "teams_manifest/icons/color.png",
        "gatebell/py.typed",
    ],
)
def test_the_wheel_holds_what_is_not_code_too(wheel: Path, inside: str) -> None:
    assert inside in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_nothing_that_only_developers_need(wheel: Path) -> None:
    strange = [
        name for name in zipfile.ZipFile(wheel).namelist() if re.match(r"tests|benchmarks|bot/admin/frontend", name)
    ]
    assert strange == []


def test_the_container_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER gatebell" in lines
    assert "VOLUME /data" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)


@pytest.mark.parametrize("secret", [".env", "data"])
def test_what_holds_secrets_is_not_sent_to_whoever_builds_the_image(secret: str) -> None:
    assert secret in (ROOT / ".dockerignore").read_text().splitlines()


def test_every_setting_of_the_composition_is_one_that_there_is(compose: dict[str, Any]) -> None:
    from bot.core_fields import CORE

    known = {field.name for field in CORE}
    assert set(compose["services"]["gatebell"]["environment"]) <= known


def test_whatever_is_depended_on_says_when_it_is_ready(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert all("healthcheck" in services[name] for name in services["gatebell"]["depends_on"])


def test_the_address_is_left_to_the_pages_unless_it_is_given(compose: dict[str, Any], tmp_path: Path) -> None:
    from bot.settings import load

    written = compose["services"]["gatebell"]["environment"]["BASE_URL"]
    given = {"BASE_URL": re.sub(r"\$\{BASE_URL:-(.*)\}", r"\1", written)}
    assert not load([], given, tmp_path).locked("BASE_URL")


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert not re.search(r"\$\{(SECRET_KEY|POSTGRES_PASSWORD):-", text)
    assert len(re.findall(r"\$\{(?:SECRET_KEY|POSTGRES_PASSWORD):\?", text)) == 3
