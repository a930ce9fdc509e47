"""The settings of this process, and what is wrong with them in words."""

import os

from bot.channels.registry import fields
from bot.settings import Settings, SettingsFault, data_dir, load

WRONG_SETTINGS = 2
FAILED = 1


def read_settings() -> Settings:
    """The settings of this process. Raises SettingsFault."""
    return load(fields(), os.environ, data_dir(os.environ))


def in_words(fault: SettingsFault) -> str:
    """Every wrong setting, for somebody who is to mend it."""
    count = len(fault.flaws)
    what = "One setting is" if count == 1 else f"{count} settings are"
    return "".join([f"{what} wrong:\n", *(f"  {flaw}\n" for flaw in fault.flaws)])
