"""The script that makes a Teams bot in the owner's tenant, against an az that behaves like Azure's."""

import fcntl
import json
import shutil
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from bot import env_file
from tests.provisioning import azure
from tests.provisioning.conftest import APP, ROOT, SCRIPT, URL, Cloud

CONTRACT = ROOT.parent / "shared" / "contracts" / "azure" / "az-arguments-2.91.0.json"
ENDPOINT = f"{URL}/api/messages"
OTHER = "99999999-2222-4333-8444-555555555555"
ALL = [
    "ad app create",
    "ad sp create",
    "ad app credential reset",
    "group create",
    "provider register",
    "bot create",
    "bot msteams create",
]
PASSWORD = {"hint": "abc", "keyId": OTHER, "endDateTime": "2027-12-01T00:00:00Z"}
OURS: dict[str, Any] = {"passwords": [{"displayName": "gatebell", **PASSWORD}]}
THEIRS: dict[str, Any] = {"passwords": [{"displayName": "crm", **PASSWORD}]}
RECORDED: dict[str, dict[str, bool]] = json.loads(CONTRACT.read_text()) if CONTRACT.is_file() else {}


# ---- what it makes --------------------------------------------------------------------------------------------------


def test_one_run_makes_everything(cloud: Cloud) -> None:
    cloud.bootstrap()
    assert cloud.writes() == ALL


def test_the_app_is_single_tenant_and_has_its_service_principal(cloud: Cloud) -> None:
    cloud.bootstrap()
    assert (cloud.app["signInAudience"], cloud.state["principals"]) == ("AzureADMyOrg", [cloud.app["appId"]])


def test_the_bot_is_free_and_calls_the_server_and_speaks_with_teams(cloud: Cloud) -> None:
    cloud.bootstrap()
    properties = cloud.bot["properties"]
    assert (cloud.bot["sku"], properties["endpoint"]) == ("F0", ENDPOINT)
    assert (properties["msaAppType"], properties["msaAppTenantId"]) == ("SingleTenant", azure.TENANT)
    assert "msteams" in properties["configuredChannels"]


def test_the_server_reads_what_was_saved(cloud: Cloud) -> None:
    cloud.bootstrap()
    assert env_file.read(cloud.saved) == {
        "TEAMS_APP_ID": cloud.app["appId"],
        "TEAMS_CLIENT_SECRET": cloud.state["secrets"][0],
        "TEAMS_TENANT_ID": azure.TENANT,
        "BASE_URL": URL,
    }


def test_without_a_resource_group_nothing_is_made_in_the_subscription(cloud: Cloud) -> None:
    done = cloud.run("--base-url", URL)
    assert (done.returncode, cloud.writes()) == (0, ALL[:3])
    assert "--resource-group" in done.stdout


def test_a_tenant_without_a_subscription_is_enough_for_the_app(cloud: Cloud) -> None:
    cloud.has(account={**cloud.state["account"], "id": azure.TENANT})
    assert cloud.run().returncode == 0


def test_it_waits_until_entra_knows_of_the_new_app(cloud: Cloud) -> None:
    cloud.has(lag=3)
    cloud.bootstrap()
    assert cloud.state["principals"] == [cloud.app["appId"]]


def test_a_registered_provider_is_not_registered_again(cloud: Cloud) -> None:
    cloud.has(provider="Registered")
    cloud.bootstrap()
    assert "provider register" not in cloud.writes()


# ---- a second run ---------------------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing_and_says_so(cloud: Cloud) -> None:
    cloud.bootstrap()
    before = cloud.saved.read_text()
    cloud.forget_calls()
    done = cloud.bootstrap()
    assert (cloud.writes(), cloud.saved.read_text()) == ([], before)
    assert "Nothing had to be changed." in done.stdout


def test_a_second_run_on_another_machine_makes_a_secret_beside_the_first(cloud: Cloud) -> None:
    cloud.bootstrap()
    cloud.forget_calls()
    cloud.bootstrap("--out", "elsewhere.env")
    assert (cloud.writes(), len(cloud.app["passwords"])) == (["ad app credential reset"], 2)


@pytest.mark.parametrize("broken", ["ad sp create", "ad app credential reset", "bot create", "bot msteams create"])
def test_a_run_that_broke_off_is_taken_up_where_it_stopped(cloud: Cloud, broken: str) -> None:
    cloud.has(denied={broken: "Something failed."})
    assert cloud.run("--base-url", URL, "--resource-group", "bells").returncode == 1
    cloud.has(denied={})
    cloud.forget_calls()
    cloud.bootstrap()
    again = [write for write in cloud.writes() if write not in {"group create", "provider register"}]
    assert again == [write for write in ALL if write not in {"group create", "provider register"}][-len(again) :]
    assert (again[0], len(cloud.state["apps"]), len(cloud.app["passwords"])) == (broken, 1, 1)


def test_a_server_that_has_moved_moves_the_bot(cloud: Cloud) -> None:
    cloud.bootstrap()
    cloud.forget_calls()
    cloud.run("--base-url", "https://new.example.com/", "--resource-group", "bells")
    assert cloud.writes() == ["bot update"]
    assert cloud.bot["properties"]["endpoint"] == "https://new.example.com/api/messages"


def test_a_removed_teams_channel_is_opened_again(cloud: Cloud) -> None:
    cloud.has_app(**OURS)
    cloud.has(principals=[APP])
    cloud.has_bot("gatebell-11111111", configuredChannels=["webchat"])
    cloud.bootstrap()
    assert cloud.writes() == ["ad app credential reset", "bot msteams create"]


def test_a_removed_service_principal_is_made_again(cloud: Cloud) -> None:
    cloud.has_app(**OURS)
    cloud.bootstrap()
    assert cloud.state["principals"] == [APP]


# ---- the secret -----------------------------------------------------------------------------------------------------


def test_another_secret_is_made_when_asked_for_and_the_old_one_stays(cloud: Cloud) -> None:
    cloud.bootstrap()
    done = cloud.bootstrap("--rotate-secret")
    assert env_file.read(cloud.saved)["TEAMS_CLIENT_SECRET"] == cloud.state["secrets"][1]
    assert len(cloud.app["passwords"]) == 2
    assert "stays valid" in done.stdout


def test_secrets_of_others_on_the_app_stay(cloud: Cloud) -> None:
    cloud.has_app(**THEIRS)
    cloud.bootstrap("--app-id", APP)
    assert [each["displayName"] for each in cloud.app["passwords"]] == ["crm", "gatebell"]


@pytest.mark.parametrize(
    "shell, more", [(("bash",), ()), (("bash", "-x"), ("--rotate-secret",)), (("bash", "-xv"), ("--json",))]
)
def test_no_secret_is_shown(cloud: Cloud, shell: tuple[str, ...], more: tuple[str, ...]) -> None:
    for _ in range(2):
        done = cloud.run("--base-url", URL, "--resource-group", "bells", *more, shell=shell, PS4="+ ")
        assert done.returncode == 0, done.stderr
        assert [secret for secret in cloud.state["secrets"] if secret in done.stdout + done.stderr] == []


def test_no_secret_is_shown_where_the_environment_traces_every_shell(cloud: Cloud) -> None:
    done = cloud.run(SHELLOPTS="xtrace")
    assert (done.returncode, cloud.state["secrets"][0] in done.stderr) == (0, False)


def test_no_secret_stands_in_the_arguments_of_a_program(cloud: Cloud) -> None:
    cloud.bootstrap()
    cloud.bootstrap("--rotate-secret")
    cloud.bootstrap()
    words = " ".join(word for call in cloud.calls() for word in call)
    assert [secret for secret in cloud.state["secrets"] if secret in words] == []


def test_a_secret_is_shown_when_asked_for(cloud: Cloud) -> None:
    done = cloud.bootstrap("--show-secret", "--out", "-")
    assert f"TEAMS_CLIENT_SECRET={cloud.state['secrets'][0]}" in done.stdout
    assert not cloud.saved.exists()


def test_a_secret_that_would_be_lost_is_not_made(cloud: Cloud) -> None:
    done = cloud.run("--out", "-")
    assert (done.returncode, cloud.calls()) == (2, [])
    assert "--show-secret" in done.stderr


@pytest.mark.parametrize(
    "password, words",
    [
        ({"hint": "xyz"}, "knows no such secret"),
        ({"endDateTime": "2020-01-01T00:00:00Z"}, "ends on 2020-01-01"),
    ],
)
def test_a_saved_secret_that_no_longer_works_is_told(cloud: Cloud, password: dict[str, str], words: str) -> None:
    cloud.bootstrap()
    state = cloud.state
    state["apps"][0]["passwords"][0].update(password)
    cloud.state = state
    assert words in cloud.bootstrap().stdout


# ---- the file -------------------------------------------------------------------------------------------------------


def test_other_lines_of_the_file_stay(cloud: Cloud) -> None:
    lines = "# ours\nSLACK_BOT_TOKEN='xoxb-1 2'\n\nexport TEAMS_CLIENT_SECRET=\nX_TEAMS_APP_ID=1\nBASE_URL=https://a.example"
    cloud.saved.parent.mkdir()
    cloud.saved.write_text(lines)
    cloud.bootstrap()
    kept = "# ours\nSLACK_BOT_TOKEN='xoxb-1 2'\n\nX_TEAMS_APP_ID=1\nBASE_URL=https://a.example\n"
    assert cloud.saved.read_text().startswith(kept + "TEAMS_APP_ID=")


def test_only_its_owner_reads_the_file(cloud: Cloud) -> None:
    cloud.saved.parent.mkdir()
    cloud.saved.write_text("")
    cloud.saved.chmod(0o644)
    cloud.bootstrap()
    assert stat.S_IMODE(cloud.saved.stat().st_mode) == 0o600
    assert [path.name for path in cloud.saved.parent.iterdir() if path.name.startswith(".")] == []


def test_the_data_directory_of_the_environment_is_used(cloud: Cloud) -> None:
    assert cloud.run(GATEBELL_DATA_DIR=str(cloud.folder / "other place")).returncode == 0
    assert env_file.read(cloud.folder / "other place" / "gateway.env")["TEAMS_TENANT_ID"] == azure.TENANT


def test_the_base_url_of_the_file_is_used(cloud: Cloud) -> None:
    cloud.saved.parent.mkdir()
    cloud.saved.write_text(f"BASE_URL='{URL}/'\n")
    assert cloud.run("--resource-group", "bells").returncode == 0
    assert cloud.bot["properties"]["endpoint"] == ENDPOINT


@pytest.mark.skipif(not shutil.which("flock", path="/usr/bin:/bin"), reason="this machine has no flock command")
def test_it_waits_for_a_server_that_is_saving(cloud: Cloud) -> None:
    cloud.saved.parent.mkdir()
    with (cloud.saved.parent / "gateway.env.lock").open("w") as lock, ThreadPoolExecutor() as beside:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cloud.saved.write_text("PORT=1\n")
        running = beside.submit(cloud.run)
        cloud.wait_for_a_secret()
        time.sleep(0.5)  # time enough to have written the file
        assert not running.done()
        cloud.saved.write_text("PORT=2\n")
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert running.result().returncode == 0
    assert set(env_file.read(cloud.saved).items()) > {("PORT", "2"), ("TEAMS_TENANT_ID", azure.TENANT)}


def test_a_file_that_cannot_be_written_ends_it_before_anything_is_made(cloud: Cloud) -> None:
    (cloud.folder / "data").write_text("a file in the place of the folder")
    done = cloud.run()
    assert (done.returncode, cloud.writes()) == (1, [])
    assert "--out" in done.stderr


# ---- what is there already ------------------------------------------------------------------------------------------


def refused(cloud: Cloud, *arguments: str) -> str:
    """It has changed nothing at all, and this is what it said."""
    before = {name: cloud.state[name] for name in ("apps", "bots", "principals", "groups")}
    done = cloud.run("--base-url", URL, "--resource-group", "bells", *arguments)
    assert done.returncode == 1, done.stdout
    assert {name: cloud.state[name] for name in before} == before
    return done.stderr


def test_somebody_elses_app_of_the_same_name_is_not_touched(cloud: Cloud) -> None:
    cloud.has_app(**THEIRS)
    assert f"--app-id {APP}" in refused(cloud)


def test_an_app_of_the_same_name_that_has_a_certificate_is_not_touched(cloud: Cloud) -> None:
    cloud.has_app(keys=[{"keyId": OTHER}])
    assert f"--app-id {APP}" in refused(cloud)


def test_an_app_whose_name_only_begins_alike_is_another_one(cloud: Cloud) -> None:
    cloud.has_app(name="gatebell-test", **THEIRS)
    cloud.bootstrap()
    assert [app["displayName"] for app in cloud.state["apps"]] == ["gatebell-test", "gatebell"]


def test_our_own_app_of_the_same_name_is_used(cloud: Cloud) -> None:
    cloud.has_app(**OURS)
    cloud.bootstrap()
    assert len(cloud.state["apps"]) == 1


def test_two_apps_of_the_same_name_are_told_apart_by_the_owner(cloud: Cloud) -> None:
    cloud.has_app(**OURS)
    cloud.has_app(app=OTHER, **OURS)
    words = refused(cloud)
    assert (APP in words, OTHER in words, "--app-id" in words) == (True, True, True)


def test_a_multi_tenant_app_is_refused(cloud: Cloud) -> None:
    cloud.has_app(signInAudience="AzureADMultipleOrgs", **OURS)
    assert "--sign-in-audience AzureADMyOrg" in refused(cloud)


def test_a_file_that_holds_another_bot_is_not_overwritten(cloud: Cloud) -> None:
    cloud.saved.parent.mkdir()
    cloud.saved.write_text(f"TEAMS_APP_ID={OTHER}\n")
    cloud.has_app()
    assert OTHER in refused(cloud, "--app-id", APP)


def test_an_app_that_was_deleted_is_told(cloud: Cloud) -> None:
    cloud.saved.parent.mkdir()
    cloud.saved.write_text(f"TEAMS_APP_ID={OTHER}\n")
    assert "TEAMS_CLIENT_SECRET out of" in refused(cloud)


@pytest.mark.parametrize(
    "properties, mend",
    [
        ({"msaAppId": OTHER}, f"--app-id {OTHER}"),
        ({"msaAppType": "UserAssignedMSI"}, "--bot-name"),
        ({"msaAppType": "MultiTenant"}, "--bot-name"),
        ({"msaAppTenantId": OTHER}, "--bot-name"),
    ],
)
def test_a_bot_that_cannot_be_ours_is_not_touched(cloud: Cloud, properties: dict[str, str], mend: str) -> None:
    cloud.has_app(**OURS)
    cloud.has_bot("gatebell-11111111", **properties)
    done = cloud.run("--base-url", URL, "--resource-group", "bells")
    assert (done.returncode, mend in done.stderr) == (1, True)
    assert {"bot create", "bot update", "bot msteams create"}.isdisjoint(cloud.writes())


def test_a_bot_of_the_owners_own_naming_is_used(cloud: Cloud) -> None:
    cloud.has_app(**OURS)
    cloud.has_bot("My-Bot")
    cloud.bootstrap("--bot-name", "my-bot")
    assert "bot create" not in cloud.writes()


@pytest.mark.parametrize("elsewhere, mend", [(APP, "another app with --name"), ("gatebell-11111111", "--bot-name")])
def test_what_another_bot_has_taken_is_told(cloud: Cloud, elsewhere: str, mend: str) -> None:
    cloud.has_app(**OURS)
    cloud.has(elsewhere=[elsewhere])
    done = cloud.run("--base-url", URL, "--resource-group", "bells")
    assert (done.returncode, mend in done.stderr) == (1, True)


# ---- what can be wrong with az --------------------------------------------------------------------------------------


def test_a_missing_az_is_told(cloud: Cloud) -> None:
    cloud.without_az()
    done = cloud.run()
    assert (done.returncode, "install-azure-cli" in done.stderr) == (1, True)


def test_somebody_who_is_not_logged_in_is_told(cloud: Cloud) -> None:
    cloud.has(account=None)
    assert "az login" in refused(cloud)


@pytest.mark.parametrize(
    "arguments, mend",
    [
        (("--tenant", OTHER), f"az login --tenant {OTHER}"),
        (("--subscription", OTHER), f"az account set --subscription '{OTHER}'"),
        (("--subscription", "Production"), "az account set --subscription 'Production'"),
    ],
)
def test_another_tenant_or_subscription_than_wanted_is_refused(
    cloud: Cloud, arguments: tuple[str, ...], mend: str
) -> None:
    assert mend in refused(cloud, *arguments)


@pytest.mark.parametrize("subscription", [azure.SUBSCRIPTION, "Pay as you go"])
def test_the_wanted_subscription_may_be_named_or_numbered(cloud: Cloud, subscription: str) -> None:
    cloud.bootstrap("--subscription", subscription, "--tenant", azure.TENANT.upper())


def test_an_azure_bot_needs_a_subscription(cloud: Cloud) -> None:
    cloud.has(account={**cloud.state["account"], "id": azure.TENANT})
    assert "no subscription" in refused(cloud)


def test_a_file_of_another_tenant_is_not_touched(cloud: Cloud) -> None:
    cloud.saved.parent.mkdir()
    cloud.saved.write_text(f"TEAMS_TENANT_ID={OTHER}\n")
    assert f"az login --tenant {OTHER}" in refused(cloud)


@pytest.mark.parametrize(
    "command, words, mend",
    [
        ("ad app create", "Insufficient privileges to complete the operation.", "Application Developer"),
        ("ad app credential reset", "Credential lifetime exceeds the max value allowed as per policy", "TEAMS_CLIENT"),
        ("ad app credential reset", "CredentialTypeNotAllowedAsPerAppPolicy", "administrator"),
        ("group create", "(AuthorizationFailed) The client does not have authorization", "Contributor"),
        ("provider register", "(AuthorizationFailed) The client does not have authorization", "Contributor"),
        ("bot create", "(MissingSubscriptionRegistration) not registered to use namespace", "az provider register"),
        ("bot create", "(RequestDisallowedByPolicy) Resource was disallowed by policy.", "az account set"),
        ("bot create", "unrecognized arguments: --app-type", "az upgrade"),
        ("ad app list", "AADSTS700082: The refresh token has expired due to inactivity.", "az login"),
        ("ad app list", "HTTPSConnectionPool(host='graph'): Max retries exceeded with url", "HTTPS_PROXY"),
        ("bot msteams create", "Unknown error during execution.", "goes on where it stopped"),
    ],
)
def test_what_az_refuses_is_told_with_its_mend(cloud: Cloud, command: str, words: str, mend: str) -> None:
    cloud.has(denied={command: words})
    done = cloud.run("--base-url", URL, "--resource-group", "bells")
    assert (done.returncode, words in done.stderr, mend in done.stderr) == (1, True, True)


# ---- what it is told ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nope",),
        ("--name",),
        ("--name", ""),
        ("--name", "a"),
        ("--name", "it's"),
        ("--name", "x" * 34),
        ("--app-id", "gatebell"),
        ("--base-url", "http://gatebell.example.com"),
        ("--base-url", "https://localhost:8080"),
        ("--base-url", "https://gatebell.example.com/?a=$(id)"),
        ("--resource-group", "bells"),
        ("--years", "0"),
    ],
)
def test_wrong_arguments_are_refused_before_az_is_called(cloud: Cloud, arguments: tuple[str, ...]) -> None:
    done = cloud.run(*arguments)
    assert (done.returncode, cloud.calls(), "--help" in done.stderr) == (2, [], True)


def test_a_dry_run_says_everything_and_changes_nothing(cloud: Cloud) -> None:
    done = cloud.bootstrap("--dry-run")
    assert (cloud.writes(), cloud.saved.parent.exists()) == ([], False)
    assert done.stdout.count("to do ") == len(ALL)


def test_a_dry_run_over_what_is_there_finds_nothing_to_do(cloud: Cloud) -> None:
    cloud.bootstrap()
    cloud.forget_calls()
    assert "Nothing had to be changed." in cloud.bootstrap("--dry-run").stdout


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_program_reads_the_result_as_json(cloud: Cloud) -> None:
    said = told(cloud.bootstrap("--json"))
    assert str(UUID(said["app_id"])) == said["app_id"] == cloud.app["appId"]
    assert said["bot"] == cloud.bot["name"]
    assert (said["tenant_id"], said["endpoint"], said["saved_to"]) == (azure.TENANT, ENDPOINT, "data/gateway.env")
    assert (len(said["changed"]), "secret" in said) == (len(ALL) + 1, False)


def test_json_says_that_nothing_was_changed(cloud: Cloud) -> None:
    cloud.bootstrap()
    assert told(cloud.bootstrap("--json"))["changed"] == []


def test_json_holds_the_secret_when_asked_for(cloud: Cloud) -> None:
    said = told(cloud.bootstrap("--json", "--show-secret", "--out", "-"))
    assert (said["secret"], said["saved_to"]) == (cloud.state["secrets"][0], None)


# ---- the script and its az ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_it_is_a_clean_shell_script() -> None:
    done = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True)
    assert done.stdout == ""


def options_of(command: str) -> dict[str, bool]:
    """The names of the options that our az takes, and whether it insists on them."""
    listed = azure.names(f"{azure.ARGUMENTS[command]} {azure.EVERYWHERE}")
    # The record leaves out the options that have four names.
    return {name: option.endswith("!") for name, option in listed.items() if option.count("/") < 3}


@pytest.mark.skipif(not RECORDED, reason="the arguments that az printed do not lie beside this clone")
@pytest.mark.parametrize("command", [each for each in azure.ARGUMENTS if not RECORDED or f"az {each}" in RECORDED])
def test_our_az_takes_and_needs_what_the_real_one_does(command: str) -> None:
    real, ours = RECORDED[f"az {command}"], options_of(command)
    assert {name: real.get(name) for name in ours} == ours
    assert {name for name, needed in real.items() if needed} == {name for name, needed in ours.items() if needed}


@pytest.mark.parametrize(
    "arguments",
    [
        ["bot", "create", "-g", "g", "-n", "bell", "--appid", APP],
        ["bot", "create", "-g", "g", "-n", "bell", "--appid", APP, "--app-type", "SingleTenant", "--kind", "azurebot"],
        ["ad", "app", "credential", "reset", "--append"],
        ["bot", "teams", "create"],
    ],
)
def test_our_az_refuses_what_the_real_one_refuses(arguments: list[str]) -> None:
    with pytest.raises(azure.Refused) as refusal:
        azure.read(arguments)
    assert refusal.value.code == 2
