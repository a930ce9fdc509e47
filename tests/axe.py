"""axe, which finds what shuts people out of a page. Where it is missing, tests that need it fail."""

from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / "bot/admin/frontend/node_modules/axe-core/axe.min.js"


def script() -> str:
    """Its source, to be put into a page. Raises FileNotFoundError where it is not installed."""
    if not PATH.exists():
        raise FileNotFoundError("axe is not installed: scripts/setup --tests does that")
    return PATH.read_text()
