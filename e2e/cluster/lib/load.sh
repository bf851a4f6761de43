# shellcheck shell=bash
# cluster load: images from tar files (OCI layout or docker save) into the node's containerd.

cmd_load() {
  (($#)) || die "no image given" "" "cluster load IMAGE.tar..."
  need_root
  need_jail
  local tar
  for tar in "$@"; do
    [[ -r $tar ]] || die "cannot read image '$tar'" "" "give a tar file; 'cluster image -h' tells how to write one"
    import "$tar" || die "containerd refused '$tar'" "see above; it takes OCI layouts and 'docker save' archives" ""
  done
}

containerd_ready() { [[ -S /proc/$JAIL/root/run/containerd/containerd.sock ]] && ctr_here version >/dev/null 2>&1; }

# The client runs out here, so that the file may be anywhere.
ctr_here() {
  ctr --address "/proc/$JAIL/root/run/containerd/containerd.sock" --namespace k8s.io "$@"
}

import() { ctr_here images import --snapshotter "$(snapshotter)" "$1"; }
