"""Who may import whom: every import in the product is read and held against the table below."""

from pathlib import Path

import pytest

from tests.architecture.reader import Row, Table, keys_of, lines_with, violations

ROOT = Path(__file__).resolve().parents[2]

GROUND = (
    "bot.audit.ledger",
    "bot.canonical",
    "bot.clock",
    "bot.files",
    "bot.ids",
    "bot.logs",
    "bot.metrics",
    "bot.settings",
    "bot.signing",
    "bot.redis_link",
    "bot.steady",
    "bot.store.**",
    "bot.version",
)
FOUNDATION = (*GROUND, "bot.operators")
DISPATCH = ("bot.dispatch", "bot.dispatch.dispatcher", "bot.dispatch.notice")  # its face
PAGES = ("renderers.email", "renderers.inert", "renderers.markdown", "renderers.words")  # what writes HTML
OWN = "{package}.**"
FACES = (
    OWN,
    "bot.*",
    "bot.audit.**",
    "bot.doctor.**",
    *FOUNDATION,
    *DISPATCH,
    "bot.channels.contract",
    "bot.channels.registry",
    "interactions.**",
)

# The first row whose `of` matches the importing module counts.
TABLE = Table(
    ours=("interactions", "renderers", "teams_manifest", "gatebell", "bot"),
    rows=(
        Row("interactions.**", may=("interactions.**",), libraries=("pydantic.**",)),
        Row("renderers.**", may=("renderers.**", "interactions.card")),
        Row("teams_manifest.**", may=("teams_manifest.**",)),
        Row("gatebell.**", may=("gatebell.**",)),
        Row("bot.rehearsal.**", may=(OWN,)),
        Row("bot.app.**", may=("**",)),
        Row("bot.cli.**", may=("**",)),
        Row("bot.__main__", may=("bot.cli",)),
        Row("bot.channels.contract", may=("interactions.**",)),
        Row("bot.channels.registry", may=("bot.channels.**",)),
        Row(
            "bot.channels.**",
            may=(
                "bot.channels.{family}*.**",
                "bot.channels.contract",
                "bot.channels.http",
                "bot.channels.way_in",
                "renderers.**",
                "interactions.**",
                *FOUNDATION,
            ),
        ),
        # The dispatcher is told who its readers are, so the people may speak its words and it never asks for them.
        Row("bot.dispatch.**", may=(OWN, "interactions.**", "bot.channels.contract", *GROUND)),
        Row("bot.operators", may=("interactions.**", *DISPATCH, "bot.channels.contract", *GROUND)),
        Row("bot.audit.**", may=(OWN, *GROUND)),
        Row("bot.links", may=("bot.vault", "interactions.card")),
        Row("bot.live_settings", may=("bot.env_file", "bot.vault", *GROUND)),
        Row("bot.live_channels", may=("bot.channels.contract", *GROUND)),
        Row("bot.directory", may=("interactions.**", "bot.channels.contract", *FOUNDATION)),
        Row("bot.keys", may=("bot.tries", "interactions.**", *DISPATCH, *GROUND)),
        Row("bot.core_fields", may=("bot.channels.contract", *GROUND)),
        Row("bot.settings", may=("bot.channels.contract", "bot.core_fields", "bot.env_file", *GROUND)),
        Row("bot.alerts.**", may=(OWN, "interactions.**", *DISPATCH, *FOUNDATION)),
        Row(
            "bot.thresholds.**",
            may=(OWN, "bot.events.throughput_threshold", "interactions.**", *DISPATCH, *FOUNDATION),
        ),
        Row("bot.events.**", may=(OWN, "interactions.**", *DISPATCH, *FOUNDATION)),
        Row("bot.conversations.**", may=(OWN, "interactions.**", *DISPATCH, "bot.channels.contract", *FOUNDATION)),
        Row("bot.api.**", may=FACES),
        Row("bot.mcp.**", may=FACES),
        # The picture of a card as each platform shows it is drawn from what its renderer makes.
        Row("bot.admin.preview", may=("interactions.**", "renderers.**")),
        Row(
            "bot.admin.pages.notifications",
            may=(*FACES, "bot.dispatch.health", "bot.events.registry", "teams_manifest"),
        ),
        # Lists and counts of copies say what is work as the worker does.
        Row("bot.admin.reading", may=(*FACES, "bot.dispatch.outbox")),
        Row("bot.admin.**", may=(*FACES, "teams_manifest", *PAGES)),
        Row(
            "bot.doctor.**",
            may=(
                OWN,
                "bot.channels.contract",
                "bot.channels.way_in",
                "bot.memory",
                "bot.skew",
                "interactions.**",
                *DISPATCH,
                *FOUNDATION,
            ),
        ),
        Row("bot.store.migrations.**", may=(OWN, "bot.tables", "bot.*.tables", *GROUND)),
        Row("bot.**", may=(OWN, "interactions.**", *FOUNDATION)),
    ),
    only_by={
        "bot.app.**": ("bot.cli.**",),
        "bot.api.**": ("bot.app.**", "bot.cli.**"),
        "bot.admin.**": ("bot.app.**", "bot.cli.**"),
        "bot.cli.**": ("bot.__main__",),
        "bot.rehearsal.**": ("bot.cli.**",),
        "slack_sdk.**": ("bot.channels.slack*.**", "renderers.block_*", "bot.rehearsal.**"),
        "slack_bolt.**": ("bot.channels.slack*.**", "bot.rehearsal.**"),
        "botbuilder.**": ("bot.channels.teams*.**",),
        "botframework.**": ("bot.channels.teams*.**",),
        "tests.**": (),
        "benchmarks.**": (),
        "examples.**": (),
        "scripts.**": (),
    },
    may_compute_imports=("bot.channels.registry",),
)

NEUTRAL = ("interactions", "bot/dispatch", "bot/alerts")

# These also mean something else: only a string of its own, or a proper noun, names the channel.
HOMONYMS = {
    "email": r"""["']email["'](?!.*\.email\b)""",  # `.email` is the address by which a person is known
    "teams": r"""["']teams["']|\b(Microsoft|MS) Teams\b|[a-z,] Teams\b""",  # people form teams
    "webhook": r"""["']webhook["']""",  # an event may come in through one
    "callback": r"(?!)",  # the caller is a reader on every installation
}


def channel_words() -> list[str]:
    names = keys_of(ROOT / "bot" / "channels" / "registry.py", "CHANNELS")
    return [HOMONYMS.get(name, f"(?i:{name})") for name in names]


SKELETON = (
    "bot/channels/slack.py",
    "bot/channels/teams.py",
    "bot/dispatch/worker.py",
    "interactions/card.py",
    "interactions/model.py",
    "renderers/adaptive_card.py",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small product in which nothing imports anything."""
    for file in SKELETON:
        plant(tmp_path, file, "")
    return tmp_path


def plant(tree: Path, file: str, source: str) -> None:
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(source)


def test_every_import_follows_the_table() -> None:
    assert violations(ROOT, TABLE) == []


def test_no_channel_is_named_where_every_channel_is_meant() -> None:
    assert lines_with(ROOT, NEUTRAL, channel_words()) == []


@pytest.mark.parametrize(
    "file, source, complaint",
    [
        ("interactions/card.py", "import rfc8785", "interactions.card imports rfc8785"),
        ("interactions/card.py", "from bot.clock import now", "interactions.card imports bot.clock"),
        ("renderers/text.py", "from interactions import model", "renderers.text imports interactions.model"),
        ("renderers/text.py", "import slack_sdk.models", "renderers.text imports slack_sdk.models"),
        ("gatebell/client.py", "import interactions", "gatebell.client imports interactions"),
        ("bot/dispatch/chain.py", "import bot.channels.slack", "bot.dispatch.chain imports bot.channels.slack"),
        ("bot/dispatch/route.py", "from bot.operators import Operator", "bot.dispatch.route imports bot.operators"),
        ("bot/alerts/actions.py", "from bot.dispatch import worker", "bot.alerts.actions imports bot.dispatch.worker"),
        ("bot/channels/slack.py", "from . import teams", "bot.channels.slack imports bot.channels.teams"),
        ("bot/channels/email.py", "import botbuilder.core", "bot.channels.email imports botbuilder.core"),
        ("bot/api/alerts.py", "from bot.channels.slack import x", "bot.api.alerts imports bot.channels.slack"),
        ("bot/api/alerts.py", "def f():\n    import bot.admin", "bot.api.alerts imports bot.admin"),
        ("bot/clock.py", "if T:\n    from bot.app import run", "bot.clock imports bot.app"),
        ("bot/app.py", "from bot.rehearsal import slack", "bot.app imports bot.rehearsal"),
        ("bot/app.py", "from tests.world import World", "bot.app imports tests.world"),
        ("bot/rehearsal/room.py", "from interactions.card import Card", "bot.rehearsal.room imports interactions.card"),
        ("bot/clock.py", "import_module('bot.app')", "bot.clock imports bot.app"),
        ("bot/clock.py", "importlib.import_module(name)", "bot.clock imports what only the running program knows"),
    ],
)
def test_a_forbidden_import_is_named(tree: Path, file: str, source: str, complaint: str) -> None:
    plant(tree, file, source)
    assert [found.partition(" ")[2] for found in violations(tree, TABLE)] == [complaint]


@pytest.mark.parametrize(
    "file, source",
    [
        (
            "interactions/kinds/clarification.py",
            "import json\nfrom pydantic import BaseModel\nfrom interactions import card",
        ),
        ("bot/channels/slack_inbound.py", "from bot.channels.slack import Slack\nimport slack_bolt.async_app"),
        ("bot/channels/teams.py", "from renderers import adaptive_card\nfrom botbuilder.core import TurnContext"),
        ("bot/alerts/lifecycle.py", "from bot.dispatch import Dispatcher\nfrom bot.alerts.tables import Alert"),
        ("bot/admin/pages/alerts.py", "from bot.alerts import Alerts\nfrom bot.store.store import Tx"),
        ("bot/app.py", "from bot.admin import pages\nfrom bot.dispatch import worker"),
    ],
)
def test_an_allowed_import_passes(tree: Path, file: str, source: str) -> None:
    plant(tree, file, source)
    assert violations(tree, TABLE) == []


@pytest.mark.parametrize(
    "line",
    [
        "slack_id = 1",
        "# as Slack does",
        'if channel == "teams":',
        '"""Told in Microsoft Teams."""',
        "Route('email')",
        "# in Teams",
    ],
)
def test_a_channels_name_is_found(tree: Path, line: str) -> None:
    plant(tree, "bot/dispatch/route.py", line)
    assert lines_with(tree, NEUTRAL, channel_words()) == [f"bot/dispatch/route.py:1 {line}"]


@pytest.mark.parametrize("line", ["teams: tuple[str, ...]", '("email", who.email)', "# Teams of operators take turns."])
def test_a_word_that_only_sounds_like_a_channel_passes(tree: Path, line: str) -> None:
    plant(tree, "bot/alerts/routing.py", line)
    assert lines_with(tree, NEUTRAL, channel_words()) == []
