"""The whole product for tests of its pages."""

from tests.stories.conftest import data, migrated, platforms, world

__all__ = ["data", "migrated", "platforms", "world"]
