# shellcheck shell=bash
# cluster down: idempotent. Leaves no process, mount, interface, packet rule, cgroup or file.

cmd_down() {
  (($# == 0)) || die "down takes no argument: '$1'" "" "cluster down [--name NAME]"
  if [[ ! -e $DIR ]]; then
    say "'$NAME' is not there"
    return
  fi
  need_root
  lock_cluster
  remove_outside
  remove_directory
  unlock_cluster
  say "'$NAME' is down; nothing is left of it"
}

remove_directory() {
  # The jail's mounts are gone with it; anything still mounted here is not ours to delete.
  ! grep -qF " $DIR/" /proc/mounts || die "something is mounted below $DIR" "$(grep -F " $DIR/" /proc/mounts | head -n 1)" "unmount it, then try again"
  rm -rf --one-file-system -- "$DIR"
}
