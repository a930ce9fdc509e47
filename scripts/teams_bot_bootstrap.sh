#!/usr/bin/env bash
# Makes what Teams needs, in your own tenant, with the Azure CLI: a single-tenant app registration, its service principal
# and a client secret; with --resource-group also a free Azure Bot with the Teams channel. What is there is kept: a second
# run changes nothing and says so. The secret goes into a file and is never shown unless you ask for it.
case $- in
  *x*)
    set +x
    echo "Tracing is switched off here: it would show the secret." >&2
    ;;
esac
set -euo pipefail
umask 077 # what is written here is for its owner alone

usage() {
  cat <<'TEXT'
Usage: scripts/teams_bot_bootstrap.sh [--base-url URL] [--resource-group GROUP] [options]

Makes the app registration, its service principal and a client secret in the tenant that `az` is logged in to, and saves
TEAMS_APP_ID, TEAMS_CLIENT_SECRET and TEAMS_TENANT_ID. With --resource-group it also makes the Azure Bot.

  --base-url URL         Where Microsoft reaches your server, https://… (default: BASE_URL of the environment or the file)
  --resource-group NAME  Make the free Azure Bot here; the group is made if there is none
  --location PLACE       Where a new resource group is (default: westeurope)
  --name NAME            The app's name in Entra (default: gatebell)
  --bot-name NAME        The Azure Bot's name (default: the name and the first part of the app's id)
  --app-id ID            Use this app registration instead of looking for one by its name
  --tenant ID            Go on only if this is the tenant
  --subscription ID      Go on only if this is the subscription, by id or name
  --out FILE             Where to save the settings; other lines stay (default: gateway.env in GATEBELL_DATA_DIR or ./data);
                         - saves nothing and needs --show-secret
  --rotate-secret        Make another secret although one is saved; the old one stays valid until you delete it
  --years N              How long a new secret is valid (default: 1)
  --dry-run              Say what would be done, and change nothing
  --json                 Print the result as JSON; the steps go to standard error
  --show-secret          Print a newly made secret
  --help                 Show this
TEXT
}

# ---- words ----------------------------------------------------------------------------------------------------------

changed=()

say() { printf '%s\n' "$*" >&3; }

# fail WHAT MEND
fail() {
  printf 'teams_bot_bootstrap: %s.\n  %s\n' "$1" "$2" >&2
  exit 1
}

misused() {
  printf 'teams_bot_bootstrap: %s.\n  See --help.\n' "$1" >&2
  exit 2
}

has_changed() {
  changed+=("$1")
  if [ "$dry_run" = yes ]; then say "to do      $1"; else say "done       $1"; fi
}

json_text() {
  if [ -z "$1" ]; then printf null; else printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; fi
}

# ---- arguments ------------------------------------------------------------------------------------------------------

name=gatebell bot_name="" app_id="" group="" place=westeurope years=1
base_url="" wanted_tenant="" wanted_subscription="" out="${GATEBELL_DATA_DIR:-data}/gateway.env"
rotate=no dry_run=no as_json=no show_secret=no

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --rotate-secret) rotate=yes ;;
      --dry-run) dry_run=yes ;;
      --json) as_json=yes ;;
      --show-secret) show_secret=yes ;;
      -h | --help) usage && exit 0 ;;
      --base-url | --resource-group | --location | --name | --bot-name | --app-id | --tenant | --subscription | --out | --years)
        if [ $# -lt 2 ] || [ -z "$2" ]; then misused "$1 needs a value"; fi
        take "$1" "$2"
        shift
        ;;
      *) misused "there is no $1" ;;
    esac
    shift
  done
}

take() {
  case "$1" in
    --base-url) base_url=$2 ;;
    --resource-group) group=$2 ;;
    --location) place=$2 ;;
    --name) name=$2 ;;
    --bot-name) bot_name=$2 ;;
    --app-id) app_id=$2 ;;
    --tenant) wanted_tenant=$2 ;;
    --subscription) wanted_subscription=$2 ;;
    --out) out=$2 ;;
    --years) years=$2 ;;
  esac
}

lower() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]'; }

# must_match OPTION VALUE PATTERN MEANING
must_match() {
  local pattern="^$3\$"
  [[ $2 =~ $pattern ]] || misused "$1 is $4, and not $2"
}

check_arguments() {
  local guid='[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}'
  must_match --name "$name" '[A-Za-z0-9_-]{4,33}' "4 to 33 letters, digits, - or _"
  must_match --bot-name "${bot_name:-$name}" '[A-Za-z0-9_-]{4,42}' "4 to 42 letters, digits, - or _"
  must_match --app-id "${app_id:-00000000-0000-4000-8000-000000000000}" "$guid" "a GUID"
  must_match --tenant "${wanted_tenant:-00000000-0000-4000-8000-000000000000}" "$guid" "a GUID"
  must_match --resource-group "${group:-g}" '[A-Za-z0-9_.()-]{1,90}' "the name of a resource group"
  must_match --location "$place" '[a-z0-9]+' "a place such as westeurope"
  must_match --years "$years" '[1-9][0-9]?' "a number of years"
  if [ "$out" = - ] && [ "$show_secret" = no ] && [ "$dry_run" = no ]; then
    misused "with --out - a new secret would be lost; add --show-secret"
  fi
  app_id="$(lower "$app_id")"
}

check_base_url() {
  base_url="${base_url:-${BASE_URL:-$(saved BASE_URL)}}"
  while [ "${base_url%/}" != "$base_url" ]; do base_url="${base_url%/}"; done
  if [ -z "$base_url" ]; then
    [ -z "$group" ] || misused "the Azure Bot needs --base-url, where Microsoft reaches your server"
    return 0
  fi
  must_match --base-url "$base_url" 'https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?' \
    "an address such as https://gatebell.example.com"
  case "$base_url" in
    https://localhost | https://localhost[:/]* | https://127.*)
      misused "--base-url is an address that Microsoft reaches, and not this machine alone"
      ;;
  esac
}

# ---- az -------------------------------------------------------------------------------------------------------------

answer=""

# try ARGUMENT…: runs az and keeps what it says in $answer. az has no way to ask back.
try() {
  local code=0
  answer="$(az "$@" --only-show-errors </dev/null 2>"$scratch/error" | tr -d '\r')" || code=$?
  return "$code"
}

ask() { try "$@" || explain "$1 $2 $3"; }

# Entra takes some seconds until everybody in it knows of a new app.
UNKNOWN_YET="does not exist|not found|ResourceNotFound|does not reference|find an application"
patiently() {
  local tries=1
  until try "$@"; do
    if [ "$tries" -ge 8 ] || ! grep -qiE "$UNKNOWN_YET" "$scratch/error"; then explain "$1 $2 $3"; fi
    tries=$((tries + 1))
    sleep 5
  done
}

explain() {
  local said
  said="$(grep -v '^WARNING' "$scratch/error" | tr -s '\r\n' '  ' | cut -c 1-500)"
  printf 'az %s said: %s\n' "$1" "${said:-nothing}" >&2
  case "$said" in
    *"az login"* | *AADSTS5007[68]* | *AADSTS50173* | *AADSTS70043* | *AADSTS700082* | *"Interactive authentication"*)
      fail "you are not logged in to Azure, or no longer" "Run: az login --allow-no-subscriptions, and this again."
      ;;
    *"Insufficient privileges"* | *Authorization_RequestDenied*)
      fail "your account may not do this in Microsoft Entra" \
        "Ask for the role Application Developer, or to be made an owner of the app, and run this again."
      ;;
    *AuthorizationFailed* | *"does not have authorization"*)
      fail "your account may not do this in the subscription $subscription" \
        "Ask for the role Contributor on the resource group (a new group needs it on the subscription), or name an existing one."
      ;;
    *MissingSubscriptionRegistration* | *"not registered to use namespace"*)
      fail "the subscription does not know Azure Bots yet" \
        "Ask its owner to run: az provider register --namespace Microsoft.BotService"
      ;;
    *"MsaAppId is already in use"* | *"already registered to another bot"*)
      fail "another Azure Bot uses the app $app_id" \
        "Name that one with --bot-name and --resource-group, or take another app with --name."
      ;;
    *"Unable to create bot"* | *"Id is already in use"*)
      fail "the name $bot_name is taken by somebody else's bot" "Choose another one with --bot-name."
      ;;
    *"Multitenant bot"* | *InvalidBotCreationData*)
      fail "Azure makes no multi-tenant bots any more" "Make the app single-tenant, or take another one with --name."
      ;;
    *"lifetime exceeds"*)
      fail "your tenant's policy does not allow secrets that live $years year(s)" \
        "Make a shorter one in the portal, and save it as TEAMS_CLIENT_SECRET."
      ;;
    *CredentialTypeNotAllowed*)
      fail "your tenant's policy allows no client secrets" "Ask an administrator for an exception for the app $app_id."
      ;;
    *DisallowedProvider* | *RequestDisallowedByPolicy* | *ReadOnlyDisabledSubscription*)
      fail "the subscription $subscription does not allow it" \
        "Ask its owner, or use another: az account set --subscription ID"
      ;;
    *"unrecognized arguments"* | *"misspelled or not recognized"* | *"arguments are required"*)
      fail "this version of the Azure CLI does not know the command" "Run: az upgrade"
      ;;
    *"Max retries exceeded"* | *"Failed to resolve"* | *"onnection"*)
      fail "Azure cannot be reached" \
        "Look at your network and proxy (HTTPS_PROXY), and run this again: it goes on where it stopped."
      ;;
    *)
      fail "that did not work" "Mend what az says, and run this again: it goes on where it stopped."
      ;;
  esac
}

# ---- the file of settings -------------------------------------------------------------------------------------------

START="^[[:space:]]*(export[[:space:]]+)?"

# saved NAME: the value in the file, or nothing.
saved() {
  local line
  if [ "$out" = - ] || [ ! -e "$out" ]; then return 0; fi
  line="$(sed -n -E "s/$START$1[[:space:]]*=[[:space:]]*//p" "$out" | tail -n 1 | tr -d '\r')"
  case "$line" in
    \'*\' | \"*\") line="${line#?}" && line="${line%?}" ;;
  esac
  printf '%s' "$line"
}

quoted() {
  case "$1" in
    *[!A-Za-z0-9_@%+=:,./-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")" ;;
    *) printf '%s' "$1" ;;
  esac
}

must_be_readable() {
  if [ "$out" != - ] && [ -e "$out" ] && { [ ! -f "$out" ] || [ ! -r "$out" ]; }; then
    fail "$out cannot be read" "Name another file with --out."
  fi
}

# Before a secret is made that would have no place.
must_be_writable() {
  local folder
  if [ "$out" = - ] || [ "$dry_run" = yes ]; then return 0; fi
  folder="$(dirname "$out")"
  mkdir -p "$folder" 2>/dev/null || fail "the folder $folder cannot be made" "Name another file with --out."
  [ -w "$folder" ] || fail "the folder $folder cannot be written" "Name another file with --out."
}

# save NAME VALUE …: replaces these settings, keeps all other lines, and lets nobody else read the file.
save() {
  local draft names="" each
  draft="$(dirname "$out")/.$(basename "$out").$$"
  for each in "$@"; do
    case "$each" in TEAMS_*_ID | TEAMS_CLIENT_SECRET | BASE_URL) names="${names:+$names|}$each" ;; esac
  done
  if command -v flock >/dev/null; then
    exec 9>>"$out.lock"
    flock 9 # a server that runs on this file saves under the same lock
  fi
  {
    if [ -e "$out" ]; then grep -vE "$START($names)[[:space:]]*=" "$out" || [ $? -eq 1 ]; fi
    while [ $# -gt 0 ]; do
      printf '%s=%s\n' "$1" "$(quoted "$2")"
      shift 2
    done
  } >"$draft"
  mv -f "$draft" "$out"
  exec 9>&-
}

# ---- the steps ------------------------------------------------------------------------------------------------------

tenant="" subscription="" secret="" endpoint="" new_app=no

# What the answer's lines are, one after the other.
nth() { printf '%s\n' "$answer" | sed -n "$1p"; }

look_at_account() {
  local title cloud who
  command -v az >/dev/null || fail "the Azure CLI (az) is not installed" \
    "See https://learn.microsoft.com/cli/azure/install-azure-cli, or use the portal's Cloud Shell, which has it."
  ask account show --query "[tenantId,id,name,environmentName,user.name]" --output tsv
  tenant="$(nth 1)" subscription="$(nth 2)" title="$(nth 3)" cloud="$(nth 4)" who="$(nth 5)"
  say "tenant     $tenant, as $who"
  if [ -n "$wanted_tenant" ] && [ "$(lower "$wanted_tenant")" != "$tenant" ]; then
    fail "az is logged in to the tenant $tenant, and not to $wanted_tenant" "Run: az login --tenant $wanted_tenant"
  fi
  case "$wanted_subscription" in
    "" | "$title" | "$subscription") ;;
    *)
      fail "az works with the subscription $title ($subscription), and not with $wanted_subscription" \
        "Run: az account set --subscription '$wanted_subscription'"
      ;;
  esac
  if [ -n "$group" ] && [ "$subscription" = "$tenant" ]; then
    fail "this account has no subscription, which an Azure Bot lives in, even a free one" \
      "Log in with one that has, or leave --resource-group out and let somebody else make the bot."
  fi
  if [ "$cloud" != AzureCloud ]; then
    say "note       this is $cloud, whose addresses you have to set too (docs/teams.md, Other clouds)"
  fi
}

look_at_file() {
  local theirs
  theirs="$(lower "$(saved TEAMS_TENANT_ID)")"
  if [ -n "$theirs" ] && [ "$theirs" != "$tenant" ]; then
    fail "$out is for the tenant $theirs, and az is logged in to $tenant" \
      "Run: az login --tenant $theirs, or name another file with --out."
  fi
  theirs="$(lower "$(saved TEAMS_APP_ID)")"
  if [ -n "$theirs" ] && [ -n "$app_id" ] && [ "$theirs" != "$app_id" ]; then
    fail "$out already holds another bot, $theirs" "Name another file with --out, or leave --app-id out."
  fi
  app_id="${app_id:-$theirs}"
}

make_app() {
  local by_name=no count audience
  if [ -n "$app_id" ]; then
    find_app "appId eq '$app_id'"
    [ -n "$answer" ] || fail "there is no app registration $app_id in the tenant $tenant" \
      "Log in to the right tenant, or leave --app-id out and take TEAMS_APP_ID and TEAMS_CLIENT_SECRET out of $out."
  else
    by_name=yes
    find_app "displayName eq '$name'"
  fi
  count="$(printf '%s' "$answer" | grep -c . || true)"
  if [ "$count" -gt 1 ]; then
    fail "there are $count app registrations named $name: $(printf '%s\n' "$answer" | cut -f 1 | tr '\n' ' ')" \
      "Say which one with --app-id, or choose another --name."
  fi
  if [ "$count" -eq 0 ]; then
    create_app
    return 0
  fi
  app_id="$(printf '%s' "$answer" | cut -f 1)" audience="$(printf '%s' "$answer" | cut -f 2)"
  if [ "$audience" != AzureADMyOrg ]; then
    fail "the app registration $app_id is not single-tenant ($audience), and Azure makes no bots for such any more" \
      "Choose another --name; or, if nobody else needs it: az ad app update --id $app_id --sign-in-audience AzureADMyOrg"
  fi
  if [ "$by_name" = yes ]; then must_be_ours; fi
  say "kept       the app registration $app_id"
}

# One line for each app. A list is empty where `show` would fail.
find_app() { ask ad app list --filter "$1" --query "[].[appId,signInAudience]" --output tsv; }

# An app of this name may be somebody else's. Ours has a secret of ours, or none of any kind when a run broke off.
must_be_ours() {
  local secrets
  ask ad app credential list --id "$app_id" --query "[].displayName" --output tsv
  secrets="$answer"
  if printf '%s\n' "$secrets" | grep -qx gatebell; then return 0; fi
  ask ad app credential list --id "$app_id" --cert --query "[].keyId" --output tsv
  if [ -n "$secrets$answer" ]; then
    fail "there is an app registration named $name ($app_id) that was not made by this script" \
      "Choose another --name, or add --app-id $app_id to use it all the same; its other secrets stay."
  fi
}

create_app() {
  new_app=yes
  if [ "$dry_run" = no ]; then
    ask ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv
    app_id="$answer"
  fi
  has_changed "the app registration $name${app_id:+, $app_id}"
}

make_principal() {
  if [ "$new_app" = no ]; then
    ask ad sp list --filter "appId eq '$app_id'" --query "[].id" --output tsv
    if [ -n "$answer" ]; then
      say "kept       its service principal"
      return 0
    fi
  fi
  if [ "$dry_run" = no ]; then patiently ad sp create --id "$app_id" --output none; fi
  has_changed "its service principal"
}

make_secret() {
  local kept
  kept="$(saved TEAMS_CLIENT_SECRET)"
  if [ -n "$kept" ] && [ "$(lower "$(saved TEAMS_APP_ID)")" = "$app_id" ] && [ "$rotate" = no ]; then
    say "kept       its client secret in $out"
    look_at_secret "$kept"
    save_missing
    return 0
  fi
  if [ "$dry_run" = no ]; then
    # --append: without it, every other secret of the app would be deleted.
    patiently ad app credential reset --id "$app_id" --append --display-name gatebell --years "$years" \
      --query password --output tsv
    secret="$answer" answer=""
    [ -n "$secret" ] || fail "Azure made no secret" "Run this again."
    if [ "$out" != - ]; then
      save TEAMS_APP_ID "$app_id" TEAMS_CLIENT_SECRET "$secret" TEAMS_TENANT_ID "$tenant"
    fi
  fi
  has_changed "a client secret for $years year(s)$([ "$out" = - ] || printf ', saved in %s' "$out")"
  if [ -n "$kept" ]; then
    say "note       the old secret stays valid until you delete it: az ad app credential list --id $app_id"
  fi
  save_missing
}

# The rest of what the server needs, where the file does not say it yet.
save_missing() {
  if [ "$dry_run" = yes ] || [ "$out" = - ]; then return 0; fi
  if [ -z "$(saved TEAMS_TENANT_ID)" ]; then
    save TEAMS_TENANT_ID "$tenant"
    has_changed "TEAMS_TENANT_ID in $out"
  fi
  if [ -z "$base_url" ]; then return 0; fi
  if [ -z "$(saved BASE_URL)" ]; then
    save BASE_URL "$base_url"
    has_changed "BASE_URL in $out"
  elif [ "$(saved BASE_URL)" != "$base_url" ]; then
    say "note       BASE_URL in $out is $(saved BASE_URL), and Microsoft is told $base_url"
  fi
}

# Entra shows the first three letters of each secret and when it ends.
look_at_secret() {
  local ends soon
  ask ad app credential list --id "$app_id" --query "[].[hint,endDateTime]" --output tsv
  ends="$(printf '%s\n' "$answer" | awk -F '\t' -v hint="$(printf '%.3s' "$1")" '$1 == hint { print $2 }' | sort | tail -n 1)"
  soon="$(date -u -d '+30 days' +%Y-%m-%d 2>/dev/null || date -u -v+30d +%Y-%m-%d)"
  if [ -z "$ends" ]; then
    say "note       Entra knows no such secret any more; make another with --rotate-secret"
  elif [[ $ends < $soon ]]; then
    say "note       the secret ends on ${ends%%T*}; make another with --rotate-secret"
  fi
}

make_bot() {
  local part="${app_id%%-*}"
  bot_name="${bot_name:-$name-${part:-ID}}"
  make_group
  if has_bot; then check_bot; else create_bot; fi
}

make_group() {
  ask group exists --name "$group" --subscription "$subscription" --output tsv
  if [ "$(lower "$answer")" = true ]; then
    say "kept       the resource group $group"
    return 0
  fi
  if [ "$dry_run" = no ]; then
    ask group create --name "$group" --location "$place" --subscription "$subscription" --output none
  fi
  has_changed "the resource group $group in $place"
  new_group=yes
}

# A list: `az bot create` would return an existing bot unchanged, as if it had made it.
new_group=no
has_bot() {
  if [ "$new_group" = yes ] || [ -z "$app_id" ]; then return 1; fi
  ask resource list --resource-group "$group" --resource-type Microsoft.BotService/botServices \
    --subscription "$subscription" --query "[].name" --output tsv
  printf '%s\n' "$answer" | grep -qixF -- "$bot_name"
}

create_bot() {
  register_provider
  if [ "$dry_run" = no ]; then
    patiently bot create --resource-group "$group" --name "$bot_name" --appid "$app_id" --app-type SingleTenant \
      --tenant-id "$tenant" --endpoint "$endpoint" --sku F0 --subscription "$subscription" --output none
  fi
  has_changed "the free Azure Bot $bot_name, which calls $endpoint"
  open_channel
}

register_provider() {
  ask provider show --namespace Microsoft.BotService --subscription "$subscription" --query registrationState --output tsv
  if [ "$answer" = Registered ]; then return 0; fi
  if [ "$dry_run" = no ]; then
    say "wait       Azure registers Microsoft.BotService, which takes a minute or two"
    ask provider register --namespace Microsoft.BotService --wait --subscription "$subscription" --output none
  fi
  has_changed "the registration of Microsoft.BotService in the subscription"
}

check_bot() {
  local kind channels theirs another="Choose another --bot-name and --name."
  ask bot show --resource-group "$group" --name "$bot_name" --subscription "$subscription" --output tsv \
    --query "[properties.msaAppId,properties.msaAppType,properties.msaAppTenantId,properties.endpoint]"
  theirs="$(lower "$(nth 1)")" kind="$(nth 2)"
  if [ "$theirs" != "$app_id" ]; then
    fail "the Azure Bot $bot_name in $group belongs to another app, $theirs" \
      "Choose another --bot-name, or use that app with --app-id $theirs."
  fi
  case "$kind" in
    SingleTenant) ;;
    UserAssignedMSI)
      fail "the Azure Bot $bot_name uses a managed identity, which has no client secret" "$another"
      ;;
    *) fail "the Azure Bot $bot_name is of the type $kind, and only SingleTenant works" "$another" ;;
  esac
  if [ "$(lower "$(nth 3)")" != "$tenant" ]; then
    fail "the Azure Bot $bot_name is for the tenant $(nth 3), and not for $tenant" "Choose another --bot-name."
  fi
  if [ "$(nth 4)" = "$endpoint" ]; then
    say "kept       the Azure Bot $bot_name, which calls $endpoint"
  else
    if [ "$dry_run" = no ]; then
      ask bot update --resource-group "$group" --name "$bot_name" --endpoint "$endpoint" \
        --subscription "$subscription" --output none
    fi
    has_changed "the Azure Bot $bot_name now calls $endpoint"
  fi
  ask bot show --resource-group "$group" --name "$bot_name" --subscription "$subscription" --output tsv \
    --query "properties.configuredChannels"
  channels="$(lower "$answer")"
  case "$channels" in
    *msteams*) say "kept       its Teams channel" ;;
    *) open_channel ;;
  esac
}

open_channel() {
  if [ "$dry_run" = no ]; then
    patiently bot msteams create --resource-group "$group" --name "$bot_name" --subscription "$subscription" \
      --output none
  fi
  has_changed "its Teams channel"
}

# ---- the end --------------------------------------------------------------------------------------------------------

tell() {
  local count=${#changed[@]}
  if [ "$as_json" = yes ]; then
    tell_machines
    return 0
  fi
  if [ "$count" -eq 0 ]; then say "Nothing had to be changed."; fi
  if [ "$show_secret" = yes ] && [ -n "$secret" ]; then
    say "TEAMS_APP_ID=$app_id"
    say "TEAMS_TENANT_ID=$tenant"
    say "TEAMS_CLIENT_SECRET=$secret"
  fi
  if [ -z "$group" ]; then
    say "Next: make the Azure Bot. Run this again with --resource-group, or make one in the portal (docs/teams.md, step 2)."
  elif [ "$dry_run" = no ]; then
    say "Next: gatebell teams-package -o gatebell.zip, and upload it to Teams (docs/teams.md, step 4)."
  fi
}

tell_machines() {
  local each comma=""
  printf '{"app_id": %s, "tenant_id": %s' "$(json_text "$app_id")" "$(json_text "$tenant")"
  printf ', "bot": %s, "resource_group": %s' "$(json_text "${group:+$bot_name}")" "$(json_text "$group")"
  printf ', "endpoint": %s' "$(json_text "$endpoint")"
  printf ', "saved_to": %s' "$(json_text "$([ "$out" = - ] || [ "$dry_run" = yes ] || printf '%s' "$out")")"
  if [ "$show_secret" = yes ] && [ -n "$secret" ]; then printf ', "secret": %s' "$(json_text "$secret")"; fi
  printf ', "dry_run": %s, "changed": [' "$([ "$dry_run" = yes ] && printf true || printf false)"
  for each in ${changed[@]+"${changed[@]}"}; do
    printf '%s%s' "$comma" "$(json_text "$each")"
    comma=", "
  done
  printf ']}\n'
}

main() {
  exec 3>&1
  read_arguments "$@"
  check_arguments
  if [ "$as_json" = yes ]; then exec 3>&2; fi
  must_be_readable
  check_base_url
  endpoint="${base_url:+$base_url/api/messages}"
  scratch="$(mktemp -d)"
  trap 'rm -rf "$scratch"' EXIT
  look_at_account
  look_at_file
  must_be_writable
  make_app
  make_principal
  make_secret
  if [ -n "$group" ]; then make_bot; fi
  tell
}

main "$@"
