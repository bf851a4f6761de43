# shellcheck shell=bash
# cluster env, status, list, logs: what there is and how to use it.

cmd_env() {
  need_root
  need_jail
  local set
  read -r set <"$DIR/set"
  printf 'export KUBECONFIG=%q\n' "$DIR/kubeconfig"
  # What kubectl and helm remember of an API must not outlive the cluster: the next has its address.
  printf 'export KUBECACHEDIR=%q\n' "$DIR/cache"
  # shellcheck disable=SC2016 # for the caller's shell
  [[ :$PATH: == *:$set:* ]] || printf 'export PATH=%q:"$PATH"\n' "$set"
  # Where pods and the API server reach processes of this machine: webhooks, servers under test.
  printf 'export CLUSTER_HOST_IP=%q\n' "$HOST_IP"
  # A proxy knows no way to these addresses.
  if [[ -n ${HTTPS_PROXY:-}${https_proxy:-}${HTTP_PROXY:-}${http_proxy:-} ]]; then
    printf 'export NO_PROXY=%q no_proxy=%q\n' "198.18.0.0/15${NO_PROXY:+,$NO_PROXY}" "198.18.0.0/15${no_proxy:+,$no_proxy}"
  fi
}

cmd_status() {
  if ! { load_state && find_jail; }; then
    echo "$NAME: down"
    return 1
  fi
  read -r BIN <"$DIR/set"
  echo "$NAME: $(if healthy_now; then echo up; else echo "not ready: $(node_condition)"; fi)"
  echo "  node     $NODE_IP (this machine is $HOST_IP to it)"
  echo "  pods     $POD_CIDR"
  echo "  services $SERVICE_CIDR"
  echo "  files    $DIR"
  local component pid
  for component in $COMPONENTS; do
    pid=$(cat "/proc/$JAIL/root/run/cluster/$component.pid" 2>/dev/null || true)
    printf '  %-24s %s\n' "$component" "$(component_state "$component" "$pid")"
  done
}

healthy_now() { node_api_ready && node_ready; }

component_state() {
  local rss=''
  [[ -z $2 ]] || rss=$(awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$JAIL/root/proc/$2/status" 2>/dev/null || true)
  if [[ -n $rss ]]; then
    echo "running, $rss MiB"
  elif [[ -e $DIR/hold/$1 ]]; then
    echo "stopped by 'cluster stop'"
  else
    echo "not running; see 'cluster logs $1'"
  fi
}

cmd_list() {
  local dir
  for dir in "$STATE"/*/; do
    [[ -d $dir && $dir != "$STATE/locks/" ]] || continue
    use_name "$(basename "$dir")"
    if load_state && find_jail; then echo "$NAME up $NODE_IP"; else echo "$NAME dead"; fi
  done
}

cmd_logs() {
  [[ -d $DIR/logs ]] || die "there are no logs of '$NAME'" "it is not up, and did not fail to come up" ""
  if (($#)); then
    [[ -r $DIR/logs/$1.log ]] || die "no log of '$1'" "" "one of: $COMPONENTS init"
    tail -n 200 "$DIR/logs/$1.log"
  else
    show_logs 20
  fi
}

show_logs() {
  local log
  for log in "$DIR"/logs/*.log; do
    [[ -s $log ]] || continue
    echo "--- $log"
    tail -n "$1" "$log"
  done
}
