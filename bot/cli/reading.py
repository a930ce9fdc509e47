"""The settings of this process, and what is wrong with them in words."""

import os

from bot.channels.registry import fields
from bot.settings import Settings, SettingsFault, data_dir, load

WRONG_SETTINGS = 2
FAILED = 1


def read_settings(*, looking: bool = False) -> Settings:
    """The settings of this process; where there is no secret key yet, one is made unless it is for `looking` alone.

    Raises SettingsFault.
    """
    return load(fields(), os.environ, data_dir(os.environ), make_key=not looking)


def in_words(fault: SettingsFault) -> str:
    """Every wrong setting, for somebody who is to mend it."""
    count = len(fault.flaws)
    what = "One setting is" if count == 1 else f"{count} settings are"
    return "".join([f"{what} wrong:\n", *(f"  {flaw}\n" for flaw in fault.flaws)])
