"""The whole product, for the doctor to look at."""

from tests.stories.conftest import data, migrated, migrated_postgres, platforms, postgres_story, world

__all__ = ["data", "migrated", "migrated_postgres", "platforms", "postgres_story", "world"]
