# shellcheck shell=bash
# Builds the cluster's programs from their Go modules, once per content of those modules.
#
# Cache: <cache>/bin/<module>-<key>/<program>, where the key is a hash of everything the build reads
# (go.mod and go.sum pin every source; this file holds the flags; the Go version is the compiler).
# <cache>/bin/set-<key>/ links all programs of one state of the checkout: the directory for PATH.

CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/mcpfleet/bin

# One line per program: module directory, program, main package, linker flags.
components() {
  local kube='-X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36'
  cat <<END
kubernetes kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver $kube
kubernetes kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager $kube
kubernetes kubelet k8s.io/kubernetes/cmd/kubelet $kube
kubernetes kube-scheduler k8s.io/kubernetes/cmd/kube-scheduler $kube
kubernetes kube-proxy k8s.io/kubernetes/cmd/kube-proxy $kube
kubernetes kubectl k8s.io/kubernetes/cmd/kubectl $kube
etcd etcd .
coredns coredns .
helm helm helm.sh/helm/v4/cmd/helm -X helm.sh/helm/v4/internal/version.version=v4.3.1
image image .
image pause ./pause
END
}

source_dir() { if [[ $1 == image ]]; then echo "$HERE/image"; else echo "$HERE/modules/$1"; fi; }

# module_key MODULE: changes when what the module's programs are built from does.
module_key() {
  local dir
  dir=$(source_dir "$1")
  {
    go env GOVERSION GOOS GOARCH
    components | grep "^$1 "
    cd "$dir" && find . -type f \( -name '*.go' -o -name 'go.*' \) ! -name '*_test.go' | sort | xargs sha256sum
  } | sha256sum | cut -c1-16
}

# The lines of components, each prefixed with the cache directory of its module.
keyed_components() {
  local module program rest last='' dir=''
  while read -r module program rest; do
    if [[ $module != "$last" ]]; then
      dir=$CACHE/$module-$(module_key "$module")
      last=$module
    fi
    echo "$dir $module $program $rest"
  done < <(components)
}

# Sets BIN, the directory of all programs, without building anything.
locate_programs() {
  need_go
  KEYED=$(keyed_components)
  BIN=$CACHE/set-$(sha256sum <<<"$KEYED" | cut -c1-16)
}

programs_built() { [[ -e $BIN/.complete ]]; }

need_go() {
  command -v go >/dev/null || die "Go is not installed" \
    "the local cluster's Kubernetes is built from its Go modules" \
    "install Go 1.26 or newer, or use a cluster you have: CLUSTER=current"
  local minor
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  ((${minor:-0} >= 26)) || [[ $(go env GOTOOLCHAIN) != local ]] || die "Go is too old: $(go env GOVERSION)" \
    "Kubernetes 1.36 needs Go 1.26, and GOTOOLCHAIN=local forbids fetching it" \
    "install Go 1.26 or newer, or unset GOTOOLCHAIN"
}

# Builds what is missing, one program at a time (each takes 1 to 1.5 GB of memory), and sets BIN.
build_programs() {
  locate_programs
  programs_built && return
  mkdir -p "$CACHE"
  exec 8>"$CACHE/.lock"
  if ! flock --nonblock 8; then
    say "another build of the same programs is running; waiting for it"
    flock 8
  fi
  programs_built || build_missing
  exec 8>&-
}

build_missing() {
  need_disk "$CACHE" 8
  local dir module program package flags n=0 total missing
  missing=$(while read -r dir module program package flags; do
    [[ -x $dir/$program ]] || echo "$dir $module $program $package $flags"
  done <<<"$KEYED")
  total=$(grep -c . <<<"$missing") || true
  # Background jobs of a script ignore Ctrl-C; without this the compiler would run on alone.
  trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
  ((total == 0)) || say "building $total programs into $CACHE (the first time: 6 to 12 minutes on two cores)"
  while ((total > 0)) && read -r dir module program package flags; do
    n=$((n + 1))
    build_one "[$n/$total] $program" "$dir" "$module" "$program" "$package" "$flags"
  done <<<"$missing"
  trap - EXIT
  link_set
}

build_one() {
  local label=$1 dir=$2 module=$3 program=$4 package=$5 flags=$6 started=$SECONDS log pid
  mkdir -p "$dir"
  log=$dir/.$program.log
  (
    cd "$(source_dir "$module")" || exit
    export CGO_ENABLED=0 GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false'
    exec nice -n 5 go build -p "$(nproc)" -trimpath -ldflags "-s -w $flags" -o "$dir/.$program.partial" "$package"
  ) >"$log" 2>&1 8>&- &
  pid=$!
  show_progress "$label" "$pid" "$started"
  if ! wait "$pid"; then
    tail -n 20 "$log" >&2
    die "building $program failed" "see above; all of it: $log" \
      "a network error: run it again, it resumes; otherwise CLUSTER=current uses a cluster you have"
  fi
  mv "$dir/.$program.partial" "$dir/$program"
  rm -f "$log"
}

# A running line on a terminal; elsewhere (CI) a line now and then, so that silence means trouble.
show_progress() {
  local label=$1 pid=$2 started=$3 quiet=0
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    if [[ -t 2 ]]; then
      printf '\rcluster: %-36s %4d s ' "$label" $((SECONDS - started)) >&2
    elif (((quiet += 1) % 30 == 0)); then
      say "$label: $((SECONDS - started)) s"
    fi
  done
  if [[ -t 2 ]]; then printf '\r' >&2; fi
  say "$(printf '%-36s %4d s' "$label" $((SECONDS - started)))"
}

link_set() {
  local dir module program rest
  rm -rf "$BIN"
  mkdir -p "$BIN"
  while read -r dir module program rest; do
    ln -s "../${dir##*/}/$program" "$BIN/$program"
  done <<<"$KEYED"
  touch "$BIN/.complete"
}
