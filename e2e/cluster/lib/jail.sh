# shellcheck shell=bash
# The namespaces a cluster lives in, seen from outside: made, reached and ended here.

start_jail() {
  # An almost empty environment: no proxy or Go setting of the caller's reaches the components.
  # setsid and closed files: the cluster outlives the shell and the terminal that started it.
  (
    cd /
    exec setsid env -i PATH="$PATH" HOME="$DIR" LC_ALL=C.UTF-8 \
      unshare --mount --net --pid --fork --kill-child=SIGKILL --mount-proc \
      bash "$HERE/jail/init" "$DIR/etc/jail.env" </dev/null >"$DIR/logs/init.log" 2>&1 8>&- 9>&-
  ) &
  local outer=$!
  disown "$outer"
  wait_for 10 jail_born "$outer" || die "the cluster's namespaces could not be made" "$(tail -n 3 "$DIR/logs/init.log")" \
    "run as root outside of any restricted container, $ELSEWHERE"
  remember_jail "$JAIL"
}

jail_born() {
  JAIL=$(pgrep -P "$1" -x bash) && [[ -n $JAIL ]]
}

# The jail's own network namespace exists once unshare has run, which is before its first process.
connect_link() {
  ip link set "${LINK}p" netns "$JAIL"
  ip address add "$HOST_IP/30" dev "$LINK"
  ip link set "$LINK" up
  ip route add "$POD_CIDR" via "$JAIL_IP"
  ip route add "$SERVICE_CIDR" via "$JAIL_IP"
}

# in_jail COMMAND...: on this machine's files, with the node's mounts, network and processes.
in_jail() {
  # shellcheck disable=SC2016 # expanded inside
  nsenter --target "$JAIL" --mount --net --pid -- sh -c 'cd "$0" 2>/dev/null || cd /; exec "$@"' "$PWD" "$@"
}

kill_jail() {
  find_jail || return 0
  kill -KILL "$JAIL"
  wait_for 30 jail_gone || die "process $JAIL of cluster '$NAME' does not end" \
    "the kernel waits for a process of it: $(ps -o pid,stat,comm --ppid "$JAIL" --no-headers | head -n 5 | xargs)" \
    "run 'cluster down --name $NAME' again in a minute"
}

jail_gone() { ! find_jail; }

# Everything outside of $DIR that a cluster leaves when its jail has ended, or never began.
remove_outside() {
  kill_jail
  if load_state; then
    ip link delete "$LINK" 2>/dev/null || true
  fi
  remove_cgroups
}
