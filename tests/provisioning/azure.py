"""An `az` for tests: refuses what version 2.91 refuses, and keeps apps, secrets and bots in a file as Azure does.

It runs as a program of its own, without the project on its path. AZURE_FILE names the file.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

State = dict[str, Any]
Options = dict[str, str]

# What the script may say to az, of all that it takes; `!` is required, `+` takes no value, names of one thing by `/`.
ARGUMENTS = {
    "account show": "",
    "ad app create": "--display-name! --sign-in-audience",
    "ad app credential list": "--id! --cert+",
    "ad app credential reset": "--id! --append+ --display-name --years",
    "ad app list": "--filter",
    "ad sp create": "--id!",
    "ad sp list": "--filter",
    "bot create": "--resource-group/-g! --name/-n! --appid! --app-type! --tenant-id --endpoint/-e --sku --subscription",
    "bot msteams create": "--resource-group/-g! --name/-n! --subscription",
    "bot show": "--resource-group/-g! --name/-n! --subscription",
    "bot update": "--resource-group/-g! --name/-n! --endpoint/-e --subscription",
    "group create": "--name/-n/--resource-group/-g! --location/-l! --subscription",
    "group exists": "--name/-n/--resource-group/-g! --subscription",
    "provider register": "--namespace/-n! --wait+ --subscription",
    "provider show": "--namespace/-n! --subscription",
    "resource list": "--resource-group/-g --resource-type --subscription",
}
EVERYWHERE = "--output/-o --query --only-show-errors+"
READS = frozenset(
    {
        "account show",
        "ad app credential list",
        "ad app list",
        "ad sp list",
        "bot show",
        "group exists",
        "provider show",
        "resource list",
    }
)

TENANT = "22222222-2222-4222-8222-222222222222"
SUBSCRIPTION = "33333333-3333-4333-8333-333333333333"


def empty() -> State:
    return {
        "account": {
            "tenantId": TENANT,
            "id": SUBSCRIPTION,
            "name": "Pay as you go",
            "environmentName": "AzureCloud",
            "user": {"name": "ana@example.com"},
        },
        "apps": [],
        "principals": [],
        "groups": [],
        "provider": "NotRegistered",
        "bots": [],
        "elsewhere": [],  # names and apps of bots that others have
        "denied": {},  # by command: what az says instead
        "lag": 0,  # how often a new app is not known yet
        "secrets": [],
        "calls": [],
    }


class Refused(Exception):
    """What az prints, and the code that it ends with."""

    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


# ---- reading the command --------------------------------------------------------------------------------------------


def names(listed: str) -> dict[str, str]:
    """Every name of every option, and the first name with its marks."""
    return {each.rstrip("!+"): option for option in listed.split() for each in option.split("/")}


def read(arguments: list[str]) -> tuple[str, Options]:
    words = arguments[: next_option(arguments)]
    command = " ".join(words)
    if command not in ARGUMENTS:
        raise Refused(f"'{words[-1] if words else ''}' is misspelled or not recognized by the system.", 2)
    options = read_options(arguments[len(words) :], names(f"{ARGUMENTS[command]} {EVERYWHERE}"))
    needed = {option.split("/")[0].rstrip("!") for option in ARGUMENTS[command].split() if option.endswith("!")}
    if missing := sorted(needed - options.keys()):
        raise Refused(f"the following arguments are required: {', '.join(missing)}", 2)
    return command, options


def next_option(arguments: list[str]) -> int:
    return next((at for at, word in enumerate(arguments) if word.startswith("-")), len(arguments))


def read_options(arguments: list[str], known: dict[str, str]) -> Options:
    options, rest = {}, list(arguments)
    while rest:
        name = rest.pop(0)
        if name not in known:
            raise Refused(f"unrecognized arguments: {name}", 2)
        first = known[name].split("/")[0].rstrip("!+")
        if known[name].endswith("+"):
            options[first] = "yes"
        elif not rest or rest[0].startswith("-"):
            raise Refused(f"argument {name}: expected one argument", 2)
        else:
            options[first] = rest.pop(0)
    return options


# ---- what Azure does ------------------------------------------------------------------------------------------------


def filtered(rows: list[State], condition: str) -> list[State]:
    found = re.fullmatch(r"(\w+) eq '([^']*)'", condition)
    if not found:
        raise Refused(f"Invalid filter clause: {condition}")
    return [row for row in rows if str(row[found[1]]).casefold() == found[2].casefold()]


def app_of(state: State, identifier: str) -> State:
    apps: list[State] = state["apps"]
    for app in apps:
        if app["appId"] == identifier:
            return app
    raise Refused(f"Resource '{identifier}' does not exist or one of its references is not present.", 3)


def create_app(state: State, options: Options) -> State:
    name = options["--display-name"]
    same = [app for app in state["apps"] if app["displayName"] == name]
    if len(same) > 1:
        raise Refused(f"More than one application have the same display name '{name}', please remove them first.")
    audience = options.get("--sign-in-audience", "AzureADMyOrg")
    app = same[0] if same else {"appId": str(uuid4()), "displayName": name, "passwords": [], "keys": []}
    app["signInAudience"] = audience
    if not same:
        state["apps"].append(app)
    return app


def reset_credential(state: State, options: Options) -> State:
    app = app_of(state, options["--id"])
    if "--append" not in options:
        app["passwords"].clear()
    secret = f"{len(state['secrets'])}Ab8Q~{uuid4().hex}_.-"
    state["secrets"].append(secret)
    password = {"displayName": options.get("--display-name"), "hint": secret[:3], "keyId": str(uuid4())}
    app["passwords"].append({**password, "endDateTime": f"{2026 + int(options.get('--years', 1))}-12-01T10:00:00Z"})
    return {"appId": app["appId"], "password": secret, "tenant": TENANT}


def create_principal(state: State, options: Options) -> State:
    app_of(state, options["--id"])
    if state["lag"]:
        state["lag"] -= 1
        raise Refused(f"The appId '{options['--id']}' of the service principal does not reference a valid application.")
    if options["--id"] in state["principals"]:
        raise Refused("The service principal cannot be created because the name is already in use.")
    state["principals"].append(options["--id"])
    return {"id": str(uuid4()), "appId": options["--id"]}


def bot_of(state: State, options: Options) -> State:
    wanted = (options["--resource-group"].casefold(), options["--name"].casefold())
    bots: list[State] = state["bots"]
    for bot in bots:
        if (bot["resourceGroup"].casefold(), bot["name"].casefold()) == wanted:
            return bot
    raise Refused(f"(ResourceNotFound) The Resource 'Microsoft.BotService/botServices/{wanted[1]}' was not found.", 3)


def create_bot(state: State, options: Options) -> State:
    try:
        return bot_of(state, options)  # as it is, whatever else was asked for
    except Refused:
        pass
    may_create_bot(state, options)
    properties = {
        "msaAppId": options["--appid"],
        "msaAppType": options["--app-type"],
        "msaAppTenantId": options["--tenant-id"],
        "endpoint": options.get("--endpoint", ""),
        "configuredChannels": ["webchat", "directline"],
    }
    bot = {"name": options["--name"], "resourceGroup": options["--resource-group"], "sku": options.get("--sku", "F0")}
    state["bots"].append({**bot, "properties": properties})
    return {**bot, "properties": properties}


def may_create_bot(state: State, options: Options) -> None:
    if options["--appid"].replace("-", "") != UUID(options["--appid"], version=4).hex:
        raise Refused("--appid must be a valid GUID from a Microsoft Azure AD Application Registration.")
    if state["provider"] != "Registered":
        raise Refused("(MissingSubscriptionRegistration) The subscription is not registered to use namespace.")
    if options["--resource-group"] not in state["groups"]:
        raise Refused(f"(ResourceGroupNotFound) Resource group '{options['--resource-group']}' could not be found.")
    if options["--app-type"] == "MultiTenant":
        raise Refused("(InvalidBotCreationData) Multitenant bot creation is deprecated.")
    if options["--app-type"] == "SingleTenant" and "--tenant-id" not in options:
        raise Refused("(InvalidBotData) Bot is not valid. Errors: MsaAppTenantId is required.")
    if options["--name"] in state["elsewhere"]:
        raise Refused('Unable to create bot.\nReason: "The name is not available"')
    apps = [bot["properties"]["msaAppId"] for bot in state["bots"]] + state["elsewhere"]
    if options["--appid"] in apps:
        raise Refused("(InvalidBotData) Bot is not valid. Errors: MsaAppId: MsaAppId is already in use..")


def update_bot(state: State, options: Options) -> State:
    bot = bot_of(state, options)
    bot["properties"]["endpoint"] = options.get("--endpoint") or bot["properties"]["endpoint"]
    return bot


def open_teams(state: State, options: Options) -> State:
    bot = bot_of(state, options)
    bot["properties"]["configuredChannels"] = [*bot["properties"]["configuredChannels"], "msteams"]
    return {"name": f"{bot['name']}/MsTeamsChannel"}


def list_bots(state: State, options: Options) -> list[State]:
    if options.get("--resource-group") not in state["groups"]:
        raise Refused(f"(ResourceGroupNotFound) Resource group '{options.get('--resource-group')}' could not be found.")
    return [bot for bot in state["bots"] if bot["resourceGroup"] == options["--resource-group"]]


def create_group(state: State, options: Options) -> State:
    state["groups"].append(options["--name"])
    return {"name": options["--name"]}


def register_provider(state: State, options: Options) -> None:
    state["provider"] = "Registered" if "--wait" in options else "Registering"


def list_principals(state: State, options: Options) -> list[State]:
    return filtered([{"id": each, "appId": each} for each in state["principals"]], options["--filter"])


def list_credentials(state: State, options: Options) -> Any:
    return app_of(state, options["--id"])["keys" if "--cert" in options else "passwords"]


COMMANDS: dict[str, Callable[[State, Options], Any]] = {
    "account show": lambda state, _: state["account"],
    "ad app create": create_app,
    "ad app credential list": list_credentials,
    "ad app credential reset": reset_credential,
    "ad app list": lambda state, options: filtered(state["apps"], options["--filter"]),
    "ad sp create": create_principal,
    "ad sp list": list_principals,
    "bot create": create_bot,
    "bot msteams create": open_teams,
    "bot show": bot_of,
    "bot update": update_bot,
    "group create": create_group,
    "group exists": lambda state, options: options["--name"] in state["groups"],
    "provider register": register_provider,
    "provider show": lambda state, _: {"registrationState": state["provider"]},
    "resource list": list_bots,
}


def answer(state: State, command: str, options: Options) -> Any:
    if state["account"] is None:
        raise Refused("Please run 'az login' to setup account.")
    if command in state["denied"]:
        raise Refused(state["denied"][command])
    if options.get("--subscription", SUBSCRIPTION) != SUBSCRIPTION:
        raise Refused(f"The subscription of '{options['--subscription']}' doesn't exist in cloud 'AzureCloud'.")
    return COMMANDS[command](state, options)


# ---- printing -------------------------------------------------------------------------------------------------------


def queried(value: Any, query: str) -> Any:
    """The part of JMESPath that is used here: `a.b`, `[a,b.c]`, and both after `[].`."""
    if query.startswith("[]."):
        return [queried(each, query[3:]) for each in value]
    if query.startswith("["):
        return [queried(value, each) for each in query.strip("[]").split(",")]
    for name in query.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def printed(value: Any, form: str) -> str:
    if form == "none" or value is None:
        return ""
    if form == "json":
        return json.dumps(value, indent=2) + "\n"
    if form != "tsv":
        raise Refused(f"argument --output/-o: invalid choice: '{form}'", 2)
    rows = value if isinstance(value, list) else [value]
    return "".join("\t".join(map(cell, row if isinstance(row, list) else [row])) + "\n" for row in rows)


def cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def main(arguments: list[str]) -> NoReturn:
    path = Path(os.environ["AZURE_FILE"])
    state = json.loads(path.read_text())
    state["calls"].append(arguments)
    try:
        command, options = read(arguments)
        said = answer(state, command, options)
        said = queried(said, options["--query"]) if "--query" in options else said
        sys.stdout.write(printed(said, options.get("--output", "json")))
        code = 0
    except Refused as refused:
        sys.stderr.write(f"ERROR: {refused}\n")
        code = refused.code
    path.write_text(json.dumps(state))
    raise SystemExit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
