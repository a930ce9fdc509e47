"""The zip file that is uploaded to Teams: the manifest and two icons, the same bytes whenever it is made."""

import json
from importlib.resources import files
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from teams_manifest.app import TeamsApp
from teams_manifest.format import COLOUR, OUTLINE, manifest

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
_UNIX = 3
_READABLE = 0o100644 << 16


def package(app: TeamsApp) -> bytes:
    """Raises Unfit."""
    text = json.dumps(manifest(app), indent=2, ensure_ascii=False) + "\n"
    icons = files("teams_manifest") / "icons"
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        _add(archive, "manifest.json", text.encode())
        for name in (COLOUR, OUTLINE):
            _add(archive, name, (icons / name).read_bytes())
    return packed.getvalue()


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    """Stored as it is: another version of the compressor would write other bytes."""
    entry = ZipInfo(name, _EARLIEST)
    entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _READABLE, ZIP_STORED
    archive.writestr(entry, content)
