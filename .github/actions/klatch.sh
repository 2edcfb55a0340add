#!/bin/sh
# The steps of klatch's composite actions: klatch.sh run | acquire | release.
#
# Inputs arrive as environment variables IN_… and never as text of a script, so nothing in them is executed. They are taken
# out of the environment before klatch starts, and klatch takes the kubeconfig out of it, so that the steps' commands see
# neither. The last command is exec'd: the runner's INT on cancellation has to reach klatch itself, since a shell in between
# would have it ignored.
set -eu

REPOSITORY="klatch-dev/klatch"
OLDER_ATTEMPT_SECONDS=10

fail() {
  # %0A would end the annotation's line for the runner.
  printf '::error title=klatch::%s\n' "$(printf '%s' "$1" | tr '\r\n' '  ')"
  exit 125
}

# Where the binary is: on PATH, or in the tool cache by version and architecture, installed there if it is missing.
find_klatch() {
  if [ -z "${IN_VERSION:-}" ]; then
    command -v klatch && return
    fail 'klatch is not on PATH; install it in an earlier step or set the input "version"'
  fi
  case $IN_VERSION in
    *[!0-9A-Za-z.+-]* | .* | -*) fail "the input \"version\" is not a version: $IN_VERSION" ;;
  esac
  cached="${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}/klatch/$IN_VERSION/$(uname -m)"
  if [ ! -x "$cached/klatch" ]; then
    here=$(cd "$(dirname "$0")" && pwd)
    mkdir -p "$cached"
    set -- --version "$IN_VERSION" --to "$cached"
    [ -z "${IN_DOWNLOAD_URL:-}" ] || set -- "$@" --from "$IN_DOWNLOAD_URL"
    sh "$here/../../install.sh" "$@" >&2 || fail "klatch $IN_VERSION cannot be installed; the lines above say why"
    if [ "${IN_VERIFY_ATTESTATION:-false}" = true ]; then
      gh attestation verify "$cached/klatch" --repo "$REPOSITORY" >&2 || {
        rm -f "$cached/klatch"
        fail "the attestation of klatch $IN_VERSION cannot be verified"
      }
    fi
  fi
  printf '%s\n' "$cached/klatch"
}

# The lock of the older action: a Secret named after the repository and the lock.
older_object() {
  printf 'k8s-lock-%s-%s' "${GITHUB_REPOSITORY:-}" "$1" | tr '/A-Z_' '-a-z-'
}

# Moves the kubeconfig into the one variable that klatch reads and takes out of the environment.
pass_kubeconfig() {
  data=${IN_KUBECONFIG_DATA:-${IN_OLDER_KUBECONFIG_DATA:-}}
  [ -n "$data" ] || return 0
  case $data in
    *[!A-Za-z0-9+/=]*) ;;
    *) printf '::add-mask::%s\n' "$data" ;;
  esac
  KLATCH_KUBECONFIG_DATA=$data
  export KLATCH_KUBECONFIG_DATA
}

run_url() {
  printf '%s/%s/actions/runs/%s' "${GITHUB_SERVER_URL:-https://github.com}" "${GITHUB_REPOSITORY:-}" "${GITHUB_RUN_ID:-}"
}

# A holder's name that says which job holds, with klatch's own part that tells two of them apart.
identity() {
  nonce=$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s/%s.%s/%s/%s' "${GITHUB_REPOSITORY:-local}" "${GITHUB_RUN_ID:-0}" "${GITHUB_RUN_ATTEMPT:-1}" \
    "${GITHUB_JOB:-job}" "$nonce"
}

forget_inputs() {
  for variable in $(env | sed -n 's/^\(IN_[A-Z_]*\)=.*/\1/p'); do unset "$variable"; done
}

main() {
  mode=$1
  klatch=$(find_klatch)
  [ -x "$klatch" ] || exit 125
  pass_kubeconfig

  name=${IN_NAME:-}
  older=${IN_LOCK_NAME:-}
  [ -n "$name$older" ] || fail 'the input "name" is missing'
  set -- "$mode" "${name:-$older}"
  if [ -n "$older" ]; then set -- "$@" --strategy=ticket; fi
  if [ -n "${IN_NAMESPACE:-}" ]; then set -- "$@" "--namespace=$IN_NAMESPACE"; fi
  if [ -n "${IN_STRATEGY:-}" ]; then set -- "$@" "--strategy=$IN_STRATEGY"; fi
  if [ -n "${IN_KUBECONFIG:-}" ]; then set -- "$@" "--kubeconfig=$IN_KUBECONFIG"; fi
  context=${IN_CONTEXT:-${IN_OLDER_CONTEXT:-}}
  if [ -n "$context" ]; then set -- "$@" "--context=$context"; fi
  set -- "$@" --output=github

  case $mode in
    release)
      set -- "$@" --if-held
      forget_inputs
      exec "$klatch" "$@"
      ;;
  esac

  if [ -n "$older" ]; then set -- "$@" "--object=$(older_object "$older")"; fi
  if [ -n "${IN_SLOTS:-}" ]; then set -- "$@" "--slots=$IN_SLOTS"; fi
  if [ -n "${IN_WAIT:-}" ]; then
    set -- "$@" "--wait=$IN_WAIT"
  elif [ -n "${IN_MAX_ATTEMPTS:-}" ]; then
    case $IN_MAX_ATTEMPTS in *[!0-9]* | ??????????*) fail "the input \"max_attempts\" is not a whole number: $IN_MAX_ATTEMPTS" ;; esac
    set -- "$@" "--wait=$((IN_MAX_ATTEMPTS * OLDER_ATTEMPT_SECONDS))s"
  fi
  if [ "${IN_STRICT:-false}" = true ]; then
    set -- "$@" --strict "--ticket=${GITHUB_RUN_NUMBER:-}.${GITHUB_RUN_ATTEMPT:-1}"
  fi
  set -- "$@" "--reason=${IN_REASON:-$(run_url)}" "--identity=$(identity)"

  case $mode in
    acquire)
      if [ -n "${IN_MAX_HOLD:-}" ]; then set -- "$@" "--max-hold=$IN_MAX_HOLD"; fi
      if [ -n "${IN_ON_LOST:-}" ]; then set -- "$@" "--on-lost=$IN_ON_LOST"; fi
      forget_inputs
      exec "$klatch" "$@"
      ;;
  esac

  [ -n "${IN_RUN:-}" ] || fail 'the input "run" is missing'
  script=$(mktemp "${RUNNER_TEMP:-/tmp}/klatch-XXXXXX")
  printf '%s\n' "$IN_RUN" > "$script"
  set -- "$@" --kill-after=5s --
  shell=${IN_SHELL:-bash}
  if [ -n "${IN_WORKING_DIRECTORY:-}" ]; then cd "$IN_WORKING_DIRECTORY"; fi
  forget_inputs
  case $shell in
    bash) exec "$klatch" "$@" bash --noprofile --norc -eo pipefail "$script" ;;
    sh) exec "$klatch" "$@" sh -e "$script" ;;
    python) exec "$klatch" "$@" python "$script" ;;
    pwsh)
      mv "$script" "$script.ps1"
      exec "$klatch" "$@" pwsh -command ". '$script.ps1'"
      ;;
    *) fail "the input \"shell\" is not one of bash, sh, python, pwsh: $shell" ;;
  esac
}

main "$@"
