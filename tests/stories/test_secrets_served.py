"""A server at its most talkative, beside platforms that repeat what they were sent; then every secret is looked for."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from bot.rehearsal.failure import Rule, error, http, reset
from bot.settings import SAVED
from tests.patience import until
from tests.stories.process import Process, serving
from tests.stories.test_secrets import dump_of
from tests.stories.world import ANA, BEN, MIA, Platforms

OWN = {
    "SECRET_KEY": "the-key-that-seals-all-the-others-0123456789",
    "SMTP_USERNAME": "gatebell",
    "SMTP_PASSWORD": "password-of-the-mailbox-0123456789",
    "WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "AGENT_SECRET": "agent-secret-0123456789",
}
GUESSED = "gb_a-key-that-somebody-has-guessed-0123456789"
CALLERS_OWN = "a-secret-in-the-callers-address"
SEAL = re.compile(r'name="seal" value="([^"]+)"')
PAGES = ("/admin", "/admin/deliveries", "/admin/events", "/admin/requests", "/admin/audit", "/admin/notifications",
         "/admin/settings", "/admin/keys", "/admin/health", "/nowhere", "/d/x", "/login/x")  # fmt: skip
ANSWERS = ("/metrics", "/readyz", "/api/v1/deliveries", "/api/v1/audit", "/api/v1/keys", "/api/v1/interactions",
           "/api/v1/nowhere")  # fmt: skip


@dataclass
class Served:
    """One server, whoever visits its pages, and what must be nowhere."""

    process: Process
    browser: ClientSession
    secrets: dict[str, str]
    seen: list[str] = field(default_factory=list)

    def found_in(self, text: str) -> list[str]:
        return [name for name, secret in self.secrets.items() if secret in text or json.dumps(secret)[1:-1] in text]

    async def look(self, path: str, **headers: str) -> str:
        async with self.browser.get(self.process.address + path, headers=headers) as response:
            text = await response.text()
            self.seen.append(text)
            return text


@pytest.fixture
async def served(platforms: Platforms, data: Path) -> AsyncIterator[Served]:
    platforms.mail.username, platforms.mail.password = OWN["SMTP_USERNAME"], OWN["SMTP_PASSWORD"]
    more = {"CHAIN": "slack,teams,email,webhook", "WEBHOOK_URL": platforms.caller.url, "COOLDOWN_SECONDS": "0"}
    async with (
        serving(platforms, data, LOG_LEVEL="debug", LOG_FORMAT="json", **OWN, **more) as process,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
    ):
        known = {
            **{name: secret for name, secret in OWN.items() if name != "SMTP_USERNAME"},
            "slack bot token": platforms.slack.bot_token,
            "slack signing secret": platforms.slack.signing_secret,
            "teams client secret": platforms.teams.client_secret,
            "api key": process.key,
            "guessed key": GUESSED,
            "callers own": CALLERS_OWN,
        }
        served = Served(process, browser, known)
        await all_goes_well(served)
        await nothing_goes_well(served)
        await typed_into_the_wrong_place(served)
        await look_around(served)
        yield served


async def all_goes_well(served: Served) -> None:
    """Every way out, every way in, and a sign-in."""
    process, slack = served.process, served.process.platforms.slack
    caller = process.platforms.caller
    await process.tell("All is well")
    asked = await process.ask_blocked(callback_url=f"{caller.url}?key={CALLERS_OWN}")
    await slack.dm(ANA).wait_for("Keep blocked")
    await process.platforms.teams.chat(BEN).wait_for("Keep blocked")
    letter = (await process.platforms.mail.wait_for(1, to=MIA))[0]
    link = next(each for each in letter.links if "/d/" in each)
    served.secrets["decision link"] = link.rpartition("/")[2]
    await served.look(f"/d/{served.secrets['decision link']}")
    served.seen.clear()  # her own page knows its own address
    await slack.dm(ANA).click("Approve")
    await process.end_of(asked["id"])
    await caller.wait_for(1)
    await slack.dm(ANA).say("status")
    await sign_in(served)


async def sign_in(served: Served) -> None:
    address, slack = served.process.address, served.process.platforms.slack
    same = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    form = {"email": ANA, "seal": seal_in(await served.look("/login"))}
    await served.browser.post(f"{address}/login", data=form, headers=same)
    await slack.dm(ANA).wait_for("Sign in to Gatebell")
    link = next(each for each in slack.dm(ANA).last.links if "/login/" in each)
    served.secrets["sign-in link"] = link.rpartition("/")[2]
    opened = await served.look(link.removeprefix(address))
    await served.browser.post(link, data={"seal": seal_in(opened)}, headers=same)
    served.seen.clear()
    served.secrets |= {f"cookie {each.key}": each.value for each in served.browser.cookie_jar if len(each.value) > 20}
    assert "Ana" in await served.look("/admin/me")


def seal_in(page: str) -> str:
    found = SEAL.search(page)
    return found[1] if found else ""


async def nothing_goes_well(served: Served) -> None:
    """Everybody refuses, and says in the refusal all that there is to know."""
    process, platforms = served.process, served.process.platforms
    served.secrets["teams access token"] = next(iter(platforms.teams.login._runs_out))
    said = " ".join(f"{name}={secret} {secret}" for name, secret in served.secrets.items())
    page, way_in = f"/d/{served.secrets['decision link']}", f"/login/{served.secrets['sign-in link']}"
    repeated = (page, way_in, served.secrets["api key"], OWN["SMTP_PASSWORD"])
    answers = (http(500, said), http(400, _refusal(said)), error("invalid_auth"), reset())
    for number, (told, again) in enumerate(zip(answers, repeated, strict=True)):
        hit = [
            platforms.slack.fail(told),
            platforms.teams.fail(told, part="connector"),
            platforms.mail.fail(http(554, f"5.7.1 Refused because of {again}")),
            platforms.caller.fail(told),
        ]
        await process.ask_blocked(callback_url=platforms.caller.url)
        await process.tell(f"Nothing is well, {number}")
        await hits(hit[:3])
        for platform in (platforms.slack, platforms.teams, platforms.mail, platforms.caller):
            platform.heal()
    await with_wrong_credentials(served, said)


def _refusal(said: str) -> str:
    """In the words of Slack, of the Bot Connector, and of Microsoft's login."""
    return json.dumps({"ok": False, "error": said, "error_description": f"AADSTS7000215: {said}"})


async def with_wrong_credentials(served: Served, said: str) -> None:
    process, platforms = served.process, served.process.platforms
    platforms.mail.password = "another"
    platforms.teams.login.forget_tokens()
    hit = [
        platforms.teams.fail(http(401, _refusal(said)), part="login"),
        platforms.slack.fail(error("token_revoked"), path="chat.postMessage"),
        platforms.mail.fail(http(454, f"4.7.0 {said}"), path="MAIL"),
    ]
    await process.ask_blocked()
    await hits(hit[:2])
    body = b"payload={}"
    await platforms.slack.deliver(body, secret="0" * 32)
    await platforms.teams.deliver(b"{", token=platforms.teams.token(alg="none"))
    for scheme in (f"Bearer {GUESSED}", f"Basic {GUESSED}", GUESSED):
        await served.look("/api/v1/audit", Authorization=scheme)


async def typed_into_the_wrong_place(served: Served) -> None:
    """The log says which setting is wrong, and with it what stands there."""
    process = served.process
    token, password = process.platforms.slack.bot_token, OWN["SMTP_PASSWORD"]
    saved = Path(process.environ["GATEBELL_DATA_DIR"]) / SAVED
    saved.write_text(f"ALERTING_ENABLED={token}\nEVENTS_DISABLED={password}!\n")
    await until(lambda: "the saved settings have a fault" in process.words, "a warning")


async def hits(rules: list[Rule]) -> None:
    await until(lambda: all(rule.hits for rule in rules), "a refusal on every channel")


async def look_around(served: Served) -> None:
    for path in PAGES:
        await served.look(path, Accept="text/html")
    for path in ANSWERS:
        await served.look(path, Authorization=f"Bearer {served.process.key}")


async def test_no_secret_comes_out_whatever_is_done(served: Served, data: Path) -> None:
    found = {
        "log": served.found_in(served.process.words),
        "pages and answers": served.found_in("\n".join(served.seen)),
        "rows": served.found_in("\n".join(dump_of(data / "gatebell.db"))),
    }
    # The address that has to be called later lies where it waits.
    assert found == {"log": [], "pages and answers": [], "rows": ["callers own"]}
