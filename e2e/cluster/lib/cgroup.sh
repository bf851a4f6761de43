# shellcheck shell=bash
# The cluster's own control group, in every hierarchy there is (version 1) or in the one (version 2).

make_cgroups() {
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    make_cgroup_v2
  else
    make_cgroups_v1
  fi
}

# Kubelet refuses to start unless its root exists and has the controllers.
make_cgroup_v2() {
  local controller
  mkdir -p "/sys/fs/cgroup/$CGROUP"
  for controller in cpuset cpu io memory hugetlb pids; do
    echo "+$controller" 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control || true
    echo "+$controller" 2>/dev/null >"/sys/fs/cgroup/$CGROUP/cgroup.subtree_control" || true
  done
  local have
  have=$(<"/sys/fs/cgroup/$CGROUP/cgroup.controllers")
  for controller in cpu memory pids; do
    [[ " $have " == *" $controller "* ]] || die "cgroup controller '$controller' cannot be used here" \
      "this is a part of a cgroup tree that does not pass it on" "$ELSEWHERE"
  done
}

make_cgroups_v1() {
  local group
  while read -r group; do
    mkdir -p "$group"
  done < <(cgroup_paths)
  # A new cpuset is empty, and no process may enter an empty one.
  local set=/sys/fs/cgroup/cpuset file
  for file in cpuset.cpus cpuset.mems; do
    [[ ! -e $set/$file ]] || cat "$set/$file" >"$set/$CGROUP/$file"
  done
}

cgroup_paths() {
  local mount
  awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts | sort -u | while read -r mount; do
    echo "$mount/$CGROUP"
  done
}

# Empties and removes them; the kernel needs a moment to let go of what was killed.
remove_cgroups() {
  local group
  while read -r group; do
    wait_for 10 remove_tree "$group" || die "cgroup $group cannot be removed" "processes are left in it: $(head -n 5 "$group/cgroup.procs" 2>/dev/null | xargs)" \
      "end them, then run 'cluster down --name $NAME' again"
  done < <(cgroup_paths)
}

remove_tree() {
  [[ -d $1 ]] || return 0
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [[ ! -d $1 ]]
}
