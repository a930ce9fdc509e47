"""What both clients know: where the server is, and what their calls say."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import httpx

from gatebell import talk
from gatebell.answers import Interaction, Told
from gatebell.errors import Changed, GatebellError
from gatebell.talk import Answered, Silence, Talk

HOUR = 3600.0
Choices = Sequence[str] | Mapping[str, str]
People = str | Iterable[str]


class Client:
    """Without arguments, the address and the key are GATEBELL_URL and GATEBELL_API_KEY.

    `agent` is the name on the cards. `timeout` is for one request, `patience` for all tries of one call, in seconds.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        agent: str = "agent",
        timeout: float = 10.0,
        patience: float = 30.0,
    ) -> None:
        key = api_key or os.environ.get("GATEBELL_API_KEY", "")
        if not key:
            raise GatebellError(
                "No API key: pass api_key or set GATEBELL_API_KEY (gatebell key create NAME --scope SCOPE makes one)"
            )
        if not key.isascii():
            raise GatebellError("The API key was not copied whole: a key has ASCII characters only")
        self.url = (url or os.environ.get("GATEBELL_URL") or "http://127.0.0.1:8080").rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise GatebellError(f"{self.url} is no address: GATEBELL_URL begins with http:// or https://")
        self.agent = agent
        self._timeout = timeout
        self._patience = patience
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": f"gatebell-python/{_version()}"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def _timeouts(self, send: talk.Send) -> httpx.Timeout:
        return httpx.Timeout(self._timeout, read=self._timeout + send.seconds)

    def _event(self, event_type: str, summary: str, said: Mapping[str, object]) -> Talk[Told]:
        return talk.event({"type": event_type, "summary": summary, **said}, self._patience)

    def _wait(self, interaction: Interaction | str, seconds: float | None) -> Talk[Interaction]:
        return talk.wait(id_of(interaction), seconds, self._patience)

    def _ask(
        self, kind: str, payload: Mapping[str, object], to: People, requested_by: str, said: Mapping[str, object]
    ) -> Talk[Interaction]:
        audience: dict[str, object] = {"operators": [to] if isinstance(to, str) else list(to)}
        if said.get("room") is not None:
            audience["room"] = said["room"]
        body: dict[str, object] = {
            "kind": kind,
            "payload": payload,
            "audience": audience,
            "requested_by": {"agent": self.agent, "email": requested_by},
        }
        rest = {name: value for name, value in said.items() if name != "room" and value not in (None, "")}
        return talk.ask(body | rest, self._patience)

    def _approve(
        self, tool: str, given: object, summary: str, to: People, requested_by: str, said: Mapping[str, object]
    ) -> Talk[Interaction]:
        """Ask, wait for the end, and take a yes or raise."""
        words = summary or f"{self.agent} asks to run {tool}."
        payload = {"agent": self.agent, "tool": tool, "summary": words, "arguments": given}
        asked = yield from self._ask("write_confirmation", payload, to, requested_by, said)
        ended = yield from self._wait(asked, None)
        refused = ended.not_approved()
        if refused:
            raise refused
        return ended

    def _choose(
        self, question: str, choices: Choices, allow_other: bool, to: People, said: Mapping[str, object]
    ) -> Talk[str]:
        payload = {"agent": self.agent, **talk.asked(question, choices, allow_other)}
        asked = yield from self._ask("clarification", payload, to, "", said)
        ended = yield from self._wait(asked, None)
        return talk.chosen(ended, choices)

    def _clear(
        self,
        arguments: Callable[[], object],
        tool: str,
        summary: str,
        to: People,
        requested_by: str,
        said: Mapping[str, object],
    ) -> Talk[None]:
        """Have a call approved as it is, and use the approval. What was changed meanwhile is not what was approved."""
        given = arguments()
        approved = yield from self._approve(tool, given, summary, to, requested_by, said)
        if arguments() != given:
            raise Changed(f"The arguments of {tool} were changed while a person looked at them", approved)
        yield from talk.consume(approved, self._patience)


def answered(response: httpx.Response) -> Answered:
    try:
        body = response.json() if response.content else None
    except ValueError:  # a proxy's page, not the server's answer
        body = None
    after = response.headers.get("Retry-After", "")
    return Answered(response.status_code, body, float(after) if after.isdecimal() else None)


def silence(error: httpx.TransportError) -> Silence:
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return Silence(str(error) or type(error).__name__, unsent)


def id_of(interaction: Interaction | str) -> str:
    return interaction if isinstance(interaction, str) else interaction.id


def first_line(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]


def _version() -> str:
    try:
        return version("gatebell")
    except PackageNotFoundError:  # a copied folder, not an installed package
        return "unknown"
