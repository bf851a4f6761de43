# shellcheck shell=bash
# Where one cluster keeps what it is: its directory, its index, its addresses, its processes.
#
# <state>/<name>/  link     name of the host's end of the link (and with it the index)
#                  pid      pid and start time of the jail's first process
#                  set      the programs it runs
#                  complete made when `up` had finished
#                  kubeconfig, pki/, etc/, logs/, hold/, data/

STATE=${XDG_STATE_HOME:-${HOME:?}/.local/state}/mcpfleet

use_name() {
  NAME=$1
  [[ $NAME =~ ^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$ ]] || die "'$NAME' is not a name for a cluster" \
    "it becomes a node name and a cgroup" "use 1 to 32 of a-z, 0-9 and -, starting with a letter"
  [[ $NAME != locks ]] || die "'locks' is not a name for a cluster" "that directory holds the locks" "use another"
  DIR=$STATE/$NAME
  CGROUP=mcpfleet-$NAME
}

# Addresses follow from the index alone; inside its own network namespace every port is the default.
# 198.18.0.0/15 is set aside for tests of network devices (RFC 2544), so nobody's network uses it.
use_index() {
  INDEX=$1
  LINK=mcpfleet$INDEX
  POD_CIDR=198.18.$((32 * INDEX)).0/19
  NODE_IP=198.18.$((32 * INDEX)).1
  SERVICE_CIDR=198.19.$((32 * INDEX)).0/20
  SERVICE_IP=198.19.$((32 * INDEX)).1
  DNS_IP=198.19.$((32 * INDEX)).10
  HOST_IP=198.19.$((32 * INDEX + 16)).1
  JAIL_IP=198.19.$((32 * INDEX + 16)).2
}

MAX_INDEX=7

# The link's name is the claim on an index: creating it is atomic, whoever else runs clusters here,
# and it goes away with the jail.
claim_index() {
  local i
  for ((i = 0; i <= MAX_INDEX; i++)); do
    use_index "$i"
    if ip link add "$LINK" type veth peer name "${LINK}p" 2>/dev/null; then
      echo "$LINK" >"$DIR/link"
      return
    fi
    ip link show "$LINK" >/dev/null 2>&1 || die "cannot create a veth pair" "$(ip link add "$LINK" type veth 2>&1)" \
      "load the kernel's veth module, or use a cluster you have: CLUSTER=current"
  done
  die "all $((MAX_INDEX + 1)) places for clusters are taken" "each holds a part of 198.18.0.0/15" \
    "see 'cluster list' and take one down"
}

# Sets the addresses of a cluster that has an index; false when it has none.
load_state() {
  local link=''
  [[ -r $DIR/link ]] && read -r link <"$DIR/link"
  [[ $link =~ ^mcpfleet([0-7])$ ]] || return 1
  use_index "${BASH_REMATCH[1]}"
}

# A pid alone may have been given to another process since: the start time tells.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # Fields are counted after the command name, which may itself hold spaces.
  cut -d' ' -f20 <<<"${stat##*) }"
}

remember_jail() { echo "$1 $(start_time "$1")" >"$DIR/pid"; }

# Sets JAIL to the pid of the jail's first process; false when there is none alive.
find_jail() {
  local started=''
  JAIL=
  [[ -r $DIR/pid ]] && read -r JAIL started <"$DIR/pid"
  [[ -n $JAIL && -n $started && $(start_time "$JAIL" || true) == "$started" ]] && return
  JAIL=
  return 1
}

need_jail() {
  { load_state && find_jail; } || die "cluster '$NAME' is not running" "" "start it: cluster up --name $NAME"
}

# One change at a time per cluster.
lock_cluster() {
  mkdir -p "$STATE/locks"
  exec 9>"$STATE/locks/$NAME"
  if ! flock --nonblock 9; then
    say "another command is changing '$NAME'; waiting for it"
    flock 9
  fi
}

unlock_cluster() { exec 9>&-; }
