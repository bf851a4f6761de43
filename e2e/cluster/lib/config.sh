# shellcheck shell=bash
# Fills in the files of config/ for one cluster.

PAUSE_IMAGE=localhost/pause:1

make_config() {
  mkdir -p "$DIR"/{etc/cni,logs/pods,logs/containers,hold,data/{containerd,kubelet,etcd,cni}}
  : >"$DIR/etc/resolv.conf"
  local file
  for file in kubelet.yaml containerd.toml kube-proxy.yaml Corefile addons.yaml; do
    fill_in "$HERE/config/$file" >"$DIR/etc/$file"
  done
  fill_in "$HERE/config/cni.conflist" >"$DIR/etc/cni/pods.conflist"
  make_jail_env >"$DIR/etc/jail.env"
}

fill_in() {
  local text name
  text=$(<"$1")
  # shellcheck disable=SC2034 # read by name below
  local CNI_BIN SNAPSHOTTER
  CNI_BIN=$(cni_bin_dir) SNAPSHOTTER=$(snapshotter)
  for name in NAME DIR CGROUP INDEX POD_CIDR NODE_IP DNS_IP PAUSE_IMAGE CNI_BIN SNAPSHOTTER; do
    text=${text//"@$name@"/"${!name}"}
  done
  printf '%s\n' "$text"
}

# What jail/init needs to know; it starts with an otherwise empty environment.
make_jail_env() {
  local name
  for name in NAME DIR BIN POD_CIDR NODE_IP SERVICE_CIDR HOST_IP JAIL_IP LINK; do
    printf '%s=%q\n' "$name" "${!name}"
  done
}

# An overlay cannot lie on an overlay, which is what the disk is inside most containers.
snapshotter() {
  case $(stat --file-system --format=%T "$DIR") in
    overlay* | UNKNOWN*) echo native ;;
    *) echo overlayfs ;;
  esac
}
