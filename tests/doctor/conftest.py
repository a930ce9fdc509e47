"""The whole product, for the doctor to look at."""

from tests.stories.conftest import data, migrated, platforms, world

__all__ = ["data", "migrated", "platforms", "world"]
