# shellcheck shell=bash
# What the user sees: progress on stderr, so that stdout stays for answers that scripts read.

say() { printf '%s\n' "cluster: $*" >&2; }

# die WHAT [WHY] [REMEDY]: one line each; every failure a user can meet goes through here.
die() {
  printf '%s\n' "cluster: error: $1" >&2
  [[ -z ${2:-} ]] || printf '%s\n' "  why: $2" >&2
  [[ -z ${3:-} ]] || printf '%s\n' "  do:  $3" >&2
  exit 1
}

# wait_for SECONDS COMMAND...: true once COMMAND is, tried every 0.1 s.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
