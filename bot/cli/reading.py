"""The settings of this process, and what is wrong with them in words."""

import os
from collections.abc import Callable
from pathlib import Path

from bot.channels.registry import fields
from bot.settings import Flaw, Settings, SettingsFault, data_dir, load

WRONG_SETTINGS = 2
FAILED = 1
AS_ITS_USER = "Run this as the user that Gatebell runs as, with sudo -u for example."


def read_settings(*, looking: bool = False) -> Settings:
    """The settings of this process; where there is no secret key yet, one is made unless it is for `looking` alone.

    Raises SettingsFault.
    """
    place = data_dir(os.environ)
    if flaw := closed(place):
        raise SettingsFault([flaw])
    return load(fields(), os.environ, place, make_key=not looking)


def closed(place: Path, look: Callable[[Path], object] = os.listdir) -> Flaw | None:
    """Another user's data directory: nothing in it is wrong, and nothing in it is to be removed."""
    try:
        look(place)
    except PermissionError as error:
        return Flaw("GATEBELL_DATA_DIR", f"{place} cannot be read: {error.strerror}", AS_ITS_USER)
    except OSError:
        pass  # whatever else is the matter with it is said where it is used
    return None


def in_words(fault: SettingsFault) -> str:
    """Every wrong setting, for somebody who is to mend it."""
    count = len(fault.flaws)
    what = "One setting is" if count == 1 else f"{count} settings are"
    return "".join([f"{what} wrong:\n", *(f"  {flaw}\n" for flaw in fault.flaws)])
