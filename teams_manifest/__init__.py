"""The Teams app package of an installation: what its owner uploads so that Teams shows the bot."""

from teams_manifest.app import Flaw, TeamsApp, Unfit
from teams_manifest.format import manifest
from teams_manifest.packing import package

__all__ = ["Flaw", "TeamsApp", "Unfit", "manifest", "package"]
