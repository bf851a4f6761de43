# shellcheck shell=bash
# CLUSTER=current: the cluster of the current kubectl context, which is not ours to start or stop.

current() {
  local command=$1
  case $command in
    build) cmd_build ;;
    up | status) current_reachable ;;
    down) say "CLUSTER=current: the cluster is not ours; nothing was stopped" ;;
    # Only so that kubectl and helm are found where the user has none; KUBECONFIG stays as it is.
    env) current_env ;;
    list) kubectl config get-contexts ;;
    load) die "CLUSTER=current: images cannot be put on another cluster's nodes" "only a registry reaches them" \
      "push them where its nodes can pull, and name that place: IMAGE_REPOSITORY=registry.example.com/team" ;;
    *) die "CLUSTER=current: '$command' works on the local cluster only" "it needs the node's namespaces" "unset CLUSTER" ;;
  esac
}

current_reachable() {
  command -v kubectl >/dev/null || die "CLUSTER=current needs kubectl" "it is not in PATH" "install it, or unset CLUSTER for the local cluster"
  local context answer
  context=$(kubectl config current-context 2>&1) || die "CLUSTER=current: kubectl has no current context" "$context" \
    "set KUBECONFIG or run 'kubectl config use-context NAME'"
  answer=$(kubectl --request-timeout=15s get --raw /readyz 2>&1) || die "CLUSTER=current: context '$context' does not answer" \
    "$answer" "check the address and your credentials with 'kubectl get nodes'"
  say "CLUSTER=current: context '$context' answers"
}

current_env() {
  echo "# CLUSTER=current: KUBECONFIG and the current context stay as they are"
  command -v kubectl >/dev/null && command -v helm >/dev/null && return
  command -v go >/dev/null || return 0
  locate_programs
  # shellcheck disable=SC2016 # for the caller's shell
  ! programs_built || printf 'export PATH="$PATH":%q\n' "$BIN"
}
