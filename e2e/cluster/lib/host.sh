# shellcheck shell=bash
# What the machine must offer: checked before anything is changed, each lack with its remedy.

ELSEWHERE='or use a cluster you have: CLUSTER=current'

# Program it is looked for by, and its Debian package.
PACKAGES='containerd:containerd runc:runc iptables:iptables nft:nftables conntrack:conntrack
  ip:iproute2 openssl:openssl nsenter:util-linux pgrep:procps mount:mount flock:util-linux'

need_root() {
  [[ $(uname -s) == Linux ]] || die "the local cluster runs on Linux only; this is $(uname -s)" \
    "kubelet and containerd need the Linux kernel" "run it in a Linux virtual machine, $ELSEWHERE"
  ((EUID == 0)) || die "not root" "namespaces, mounts, cgroups and packet rules need it" "run it as root, $ELSEWHERE"
}

# need_disk DIRECTORY GIB
need_disk() {
  local free
  free=$(df --output=avail -BG "$1" | tail -n 1 | tr -dc 0-9)
  ((free >= $2)) || die "$free GiB free at $1; $2 are needed" "" \
    "free some, or set XDG_CACHE_HOME (programs) or XDG_STATE_HOME (clusters) to another disk"
}

need_memory() {
  local free
  free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  ((free >= 1536)) || die "$free MiB of memory available; 1536 are needed" \
    "the control plane alone takes about 750" "free some, $ELSEWHERE"
}

missing_packages() {
  local pair missing=()
  for pair in $PACKAGES; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [[ -n $(cni_bin_dir) ]] || missing+=(containernetworking-plugins)
  echo "${missing[*]}"
}

# Debian and others put the CNI plugins in different places.
cni_bin_dir() {
  local dir
  for dir in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do
    if [[ -x $dir/bridge && -x $dir/host-local && -x $dir/portmap ]]; then
      echo "$dir"
      return
    fi
  done
}

need_packages() {
  local missing
  missing=$(missing_packages)
  [[ -n $missing ]] || return 0
  command -v apt-get >/dev/null || die "missing on this machine: $missing" "" "install them with your package manager, $ELSEWHERE"
  say "installing with apt-get: $missing"
  install_packages "$missing" || { apt-get -q update >&2 && install_packages "$missing"; } ||
    die "apt-get could not install: $missing" "see above" "install them by hand, $ELSEWHERE"
  missing=$(missing_packages)
  [[ -z $missing ]] || die "still missing after apt-get: $missing" "" "install them by hand, $ELSEWHERE"
}

# Packages that bring services must not start them: the cluster runs its own containerd.
install_packages() {
  local guard=/usr/sbin/policy-rc.d made=''
  if [[ ! -e $guard ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod +x "$guard"
    made=yes
  fi
  local status=0
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $1 >&2 9>&- || status=$?
  [[ -z $made ]] || rm -f "$guard"
  return "$status"
}

# Tries in throw-away namespaces what the jail will do, so that a kernel without it says so now.
need_kernel() {
  local feature
  for feature in br_netfilter overlay veth bridge; do modprobe -q "$feature" 2>/dev/null || true; done
  feature=$(unshare --mount --net --pid --fork --mount-proc bash "$HERE/jail/probe" 2>&1) ||
    die "this machine's kernel or container lacks what the cluster needs" "${feature:-unshare failed}" \
      "use a kernel or a privileged container that has it, $ELSEWHERE"
}

# The jail covers these with directories of its own.
need_place() {
  local dir
  for dir in "$STATE" "$CACHE"; do
    [[ $(realpath -m "$dir") != @(/run|/var/run|/var/log|/var/lib/cni)/* ]] ||
      die "$dir cannot hold clusters" "it is hidden from a cluster's processes" "set XDG_STATE_HOME and XDG_CACHE_HOME to other places"
  done
}

need_host() {
  need_root
  need_place
  need_packages
  need_kernel
  need_memory
  mkdir -p "$STATE"
  need_disk "$STATE" 2
}
