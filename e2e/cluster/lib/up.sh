# shellcheck shell=bash
# cluster up: idempotent. A healthy cluster is left alone, anything else of that name is cleared first.

cmd_up() {
  (($# == 0)) || die "up takes no argument: '$1'" "" "cluster up [--name NAME]"
  need_root
  local started=$SECONDS
  lock_cluster
  if already_up; then
    say "'$NAME' is running already (node $NODE_IP)"
    return
  fi
  need_host
  build_programs
  clear_remains
  started=$SECONDS
  create
  say "'$NAME' is up after $((SECONDS - started)) s: node $NODE_IP, pods $POD_CIDR, services $SERVICE_CIDR"
  say "to use it: eval \"\$($0 env$(name_option))\""
}

name_option() { [[ $NAME == mcpfleet ]] || echo " --name $NAME"; }

already_up() {
  # Without the mark, an `up` was cut short: its node may be Ready and yet have no DNS.
  [[ -e $DIR/complete ]] && load_state && find_jail || return 1
  local set=''
  [[ -r $DIR/set ]] && read -r set <"$DIR/set"
  BIN=$set
  healthy || return 1
  locate_programs
  [[ $BIN == "$set" ]] || say "'$NAME' runs programs of another version of the checkout; 'down' and 'up' change that"
}

# A cluster that was just started may need a moment more; one that has hung does not get better.
healthy() { wait_for 15 node_ready; }

clear_remains() {
  [[ -e $DIR ]] || return 0
  say "clearing what is left of '$NAME'"
  remove_outside
  remove_directory
}

create() {
  mkdir -p "$DIR"
  trap up_failed EXIT
  claim_index
  echo "$BIN" >"$DIR/set"
  mkdir -p "$DIR/etc" /var/lib/cni
  make_certs
  make_config
  make_kubeconfigs
  make_cgroups
  start_jail
  connect_link
  wait_ready
  touch "$DIR/complete"
  trap - EXIT
}

wait_ready() {
  wait_for 120 node_api_ready || die "the API server does not answer" "see the ends of the logs above" "cluster logs kube-apiserver"
  load_pause || die "the image of pods' first process could not be loaded" "" "cluster logs containerd"
  apply_addons
  wait_for 120 node_ready || die "the node does not become ready" "$(node_condition)" "cluster logs kubelet"
  wait_for 60 default_account || die "namespace 'default' gets no service account" "" "cluster logs kube-controller-manager"
  wait_for 60 dns_ready || die "DNS does not answer" "" "cluster logs coredns"
}

# Ends the half-made cluster, but keeps its logs: the next up or down removes them.
up_failed() {
  trap - EXIT
  say "cluster '$NAME' did not come up; the ends of its logs:"
  show_logs 5 >&2 || true
  say "all of them: $DIR/logs"
  remove_outside
}
