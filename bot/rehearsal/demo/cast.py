"""Who plays: three operators, each of whom a different channel of the chain reaches first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Player:
    key: str
    name: str
    email: str
    in_slack: bool = False
    in_teams: bool = False
    is_admin: bool = False

    @property
    def first(self) -> str:
        return self.name.partition(" ")[0]


ANA = Player("ana", "Ana Lima", "ana@example.com", in_slack=True, in_teams=True, is_admin=True)
BEN = Player("ben", "Ben Okafor", "ben@example.com", in_teams=True)
MIA = Player("mia", "Mia Sato", "mia@example.com")
CAST = (ANA, BEN, MIA)


def known_by(email: str) -> Player | None:
    return next((player for player in CAST if player.email == email.casefold()), None)


def in_teams(key: str) -> Player:
    """Raises LookupError."""
    for player in CAST:
        if player.key == key and player.in_teams:
            return player
    raise LookupError(f"nobody in Teams is called {key!r}")
