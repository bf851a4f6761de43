# shellcheck shell=bash
# cluster exec, pod-exec, stop, start: into the namespaces of the node and of pods. For tests of faults.

cmd_exec() {
  [[ ${1:-} != -- ]] || shift
  (($#)) || die "no command given" "" "cluster exec -- COMMAND"
  need_root
  need_jail
  in_jail "$@"
}

cmd_pod_exec() {
  (($# >= 3)) || die "pod-exec needs a namespace, a pod and a command" "" \
    "cluster pod-exec NAMESPACE POD -- iptables -A INPUT -p tcp --dport 8080 -j DROP"
  local namespace=$1 pod=$2 pid
  shift 2
  [[ $1 != -- ]] || shift
  (($#)) || die "no command given" "" "cluster pod-exec NAMESPACE POD -- COMMAND"
  need_root
  need_jail
  pid=$(sandbox_pid "$namespace" "$pod")
  [[ -n $pid ]] || die "no pod '$pod' runs in namespace '$namespace'" "containerd has no live sandbox for it" \
    "kubectl -n $namespace get pods"
  in_jail nsenter --target "$pid" --net -- "$@"
}

# The pid, in the node's numbering, of the process that holds the pod's network namespace.
sandbox_pid() {
  local id
  ctr_here containers list -q "labels.\"io.cri-containerd.kind\"==sandbox,labels.\"io.kubernetes.pod.namespace\"==$1,labels.\"io.kubernetes.pod.name\"==$2" |
    while read -r id; do
      ctr_here tasks list | awk -v id="$id" '$1 == id && $3 == "RUNNING" { print $2 }'
    done | head -n 1
}

COMPONENTS='containerd etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns'

need_component() {
  need_root
  need_jail
  [[ " $COMPONENTS " == *" ${1:-} "* ]] || die "'${1:-}' is not a component" "" "one of: $COMPONENTS"
}

cmd_stop() {
  need_component "$@"
  touch "$DIR/hold/$1"
  # shellcheck disable=SC2016 # expanded inside
  in_jail sh -c 'kill -KILL "$(cat "/run/cluster/$0.pid")" 2>/dev/null' "$1" || true
  say "$1 is stopped; 'cluster start $1$(name_option)' lets it run again"
}

cmd_start() {
  need_component "$@"
  rm -f "$DIR/hold/$1"
}
