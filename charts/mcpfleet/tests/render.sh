#!/usr/bin/env bash
# What the charts render: lint, values that are refused, rights, and, where a cluster is reachable by KUBECONFIG,
# whether its API server and the Restricted pod security standard take the result.
set -euo pipefail
cd "$(dirname "$0")/../.."

release_namespace=mcpfleet-test-render
failures=0

say() { printf '%s\n' "$*"; }
fail() {
  say "FAIL  $*"
  failures=$((failures + 1))
}

# check WHAT COMMAND...
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then say "ok    $what"; else fail "$what: $output"; fi
}
# check_not WHAT PATTERN COMMAND...: it fails, and says why.
check_not() {
  local what=$1 pattern=$2 output
  shift 2
  if output=$("$@" 2>&1); then
    fail "$what: did not fail"
  elif grep -Eq -- "$pattern" <<<"$output"; then
    say "ok    $what"
  else
    fail "$what: failed without $pattern: $output"
  fi
}

render() { helm template mcpfleet mcpfleet --namespace "$release_namespace" "$@"; }
# part FILE ARGS...: one template without its comments.
part() {
  local file=$1
  shift
  render --show-only "templates/$file" "$@" | grep -v '^ *#'
}
has() { grep -Eq -- "$1" <<<"$2"; }
lacks() { [ -n "$2" ] && ! grep -En -- "$1" <<<"$2"; } # nothing rendered is no proof

lints() {
  check "lint mcpfleet-crds" helm lint --strict --quiet mcpfleet-crds
  check "lint mcpfleet, scope Cluster" helm lint --strict --quiet mcpfleet
  check "lint mcpfleet, scope Namespace" helm lint --strict --quiet mcpfleet --set rbac.scope=Namespace
}

values_are_checked() {
  local unknown='additional propert' type='want (string|boolean|integer)' one='must be one of'
  check_not "unknown value" "$unknown" render --set replicaCount=3
  check_not "unknown value in a group" "$unknown" render --set rbac.create=true
  check_not "wrong type: token reviews" "$type" render --set-string rbac.tokenReviews=no
  check_not "unknown value of an image" "$unknown" render --set operator.image.registry=r.example
  check_not "wrong type: replicas" "$type" render --set-string replicas=two
  check_not "wrong type: switch" "$type" render --set-string secretAccessPolicy.enabled=no
  check_not "unknown scope" "$one" render --set rbac.scope=Everything
  check_not "unknown pull policy" "$one" render --set runtime.image.pullPolicy=Sometimes
  check_not "malformed digest" "pattern" render --set operator.image.digest=sha256:1
  check_not "namespaces with scope Cluster" "watchNamespaces" render --set 'watchNamespaces={a}'
  check_not "CRD chart, unknown value" "$unknown" helm template mcpfleet-crds --set kept=true
  check_not "CRD chart, wrong type" "$type" helm template mcpfleet-crds --set-string keep=yes
}

definitions_are_kept() {
  check "CRDs are kept by default" has 'resource-policy: "keep"' "$(helm template mcpfleet-crds)"
  check "CRDs go when asked for" lacks 'resource-policy: "keep"' "$(helm template mcpfleet-crds --set keep=false)"
}

images() {
  local digest deployment
  digest=sha256:$(printf 'a%.0s' {1..64})
  deployment=$(part deployment.yaml)
  check "default images" has 'image: ghcr.io/mcpfleet/operator:0\.1\.0$' "$deployment"
  check "default runtime" has '--runtime-image=ghcr.io/mcpfleet/mcp-runtime:0\.1\.0$' "$deployment"
  check "default pull policies" lacks '(Policy: |policy=)(Always|Never)' "$deployment"
  deployment=$(part deployment.yaml --set operator.image.tag=t --set "operator.image.digest=$digest" --set runtime.image.tag=t)
  check "a digest wins over a tag" has "image: ghcr.io/mcpfleet/operator@$digest\$" "$deployment"
  check "runtime tag" has 'mcp-runtime:t$' "$deployment"
}

rights() {
  local rules
  for scope in Cluster Namespace; do
    rules=$(part rbac.yaml --set "rbac.scope=$scope" && part userroles.yaml --set "rbac.scope=$scope" &&
      part tokenreviews.yaml --set "rbac.scope=$scope")
    check "scope $scope: no wildcard, no escalation" lacks '"\*"|\[\*|escalate|impersonate|bind\b' "$rules"
    check "scope $scope: Secrets by name, in its own namespace only" secrets_by_name "$rules"
    rules=$(part tokenreviews.yaml --set "rbac.scope=$scope")
    check "scope $scope: reviews tokens" has 'resources: \[tokenreviews\]$' "$rules"
    check "scope $scope: and nothing more, cluster-wide" one_right "$rules"
  done
  rules=$(part rbac.yaml --set rbac.scope=Namespace --set 'watchNamespaces={a,b}')
  check "scope Namespace: no ClusterRole but for token reviews" lacks 'kind: ClusterRole' "$rules"
  check "scope Namespace: a Role where it works" has 'namespace: b$' "$rules"
  check "scope Namespace: the operator is told" has '--watch-namespaces=a,b$' \
    "$(part deployment.yaml --set rbac.scope=Namespace --set 'watchNamespaces={a,b}')"
  check "scope Cluster: all namespaces" lacks 'watch-namespaces' "$(part deployment.yaml)"
}

# secrets_by_name RULES: one Role names Secrets, in the release's namespace, to create any and read two.
secrets_by_name() {
  local roles
  roles=$(awk -v RS='---\n' '/secrets/' <<<"$1")
  [ "$(grep -c '^kind: ' <<<"$roles")" = 1 ] && has '^kind: Role$' "$roles" && has "^  namespace: $release_namespace\$" "$roles" &&
    [ "$(grep -A2 'resources: \[secrets\]' <<<"$roles" | tr -s ' \n' ' ')" = \
      " resources: [secrets] resourceNames: [mcpfleet-operator-ca, mcpfleet-operator-session-keys] verbs: [get, update] -- resources: [secrets] verbs: [create] " ]
}
one_right() { [ "$(grep -c 'resources:' <<<"$1")" = 1 ] && [ "$(grep 'verbs:' <<<"$1")" = "  verbs: [create]" ]; }

fleet_port() {
  local deployment service policy
  deployment=$(part deployment.yaml)
  service=$(part service.yaml)
  policy=$(part networkpolicy.yaml)
  check "runtimes are listened for" has '--fleet-listen=0\.0\.0\.0:8443$' "$deployment"
  check "the operator knows its Service" has '--fleet-service=mcpfleet-operator$' "$deployment"
  check "that Service is there" has '^  name: mcpfleet-operator$' "$service"
  check "its port leads to the pods'" has 'name: fleet, port: 8443, targetPort: fleet' "$service"
  check "the pods have that port" has 'name: fleet, containerPort: 8443' "$deployment"
  check "a leader can be redirected to" has 'fieldPath: status\.podIP' "$deployment"
  check "runtimes of all namespaces reach it" has 'port: fleet.*from: - namespaceSelector: \{\}' "$(tr -s ' \n' ' ' <<<"$policy")"
  check "the operator reaches no runtime" lacks '9090' "$policy"
}

switches() {
  local all off
  all=$(render)
  off=$(render --set secretAccessPolicy.enabled=false --set networkPolicy.enabled=false --set rbac.userRoles=false \
    --set serviceMonitor.enabled=true)
  check "no ServiceMonitor unasked" lacks 'kind: ServiceMonitor' "$all"
  check "ServiceMonitor" has 'kind: ServiceMonitor' "$off"
  check "policies by default" has 'kind: ValidatingAdmissionPolicy$' "$all"
  check "policies off" lacks 'kind: ValidatingAdmissionPolicy' "$off"
  check "network policy off" lacks 'kind: NetworkPolicy$' "$off"
  check "nothing cluster-scoped is left when all of it is off" lacks 'kind: (Cluster|ValidatingAdmission)' \
    "$(render --set rbac.scope=Namespace --set rbac.userRoles=false --set rbac.tokenReviews=false --set secretAccessPolicy.enabled=false)"
  check "scope Namespace: policies for its namespaces only" has 'values: \["a"\]' \
    "$(render --set rbac.scope=Namespace --set 'watchNamespaces={a}')"
}

# ---- with a cluster

clean_up() {
  part tokenreviews.yaml --set rbac.scope=Namespace | kubectl delete --ignore-not-found --wait=false -f - >/dev/null 2>&1 || true
  kubectl delete namespace "$release_namespace" --ignore-not-found --wait=false >/dev/null 2>&1 || true
}

set_up() {
  trap clean_up EXIT
  kubectl delete namespace "$release_namespace" --ignore-not-found >/dev/null 2>&1
  kubectl create namespace "$release_namespace" >/dev/null
  kubectl label namespace "$release_namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null
}

apply() { kubectl apply -f - "$@"; }

# all_values: every value that is not set by default, to see that its template renders what the API takes.
all_values=(--set-json 'imagePullSecrets=[{"name": "pull"}]' --set priorityClassName=system-cluster-critical
  --set-json 'tolerations=[{"key": "a", "operator": "Exists"}]' --set nodeSelector.disk=fast --set extraLabels.team=a
  --set-json 'networkPolicy.metricsFrom=[{"namespaceSelector": {"matchLabels": {"a": "b"}}}]' --set logLevel='info\,kube=debug')

accepted() {
  check "API server takes scope Cluster" apply --dry-run=server <<<"$(render)"
  check "API server takes scope Namespace" apply --dry-run=server \
    <<<"$(render --set rbac.scope=Namespace --set "watchNamespaces={$release_namespace,default}")"
  check "API server takes all values" apply --dry-run=server <<<"$(render "${all_values[@]}")"
  check "API server takes the CRDs" apply --dry-run=server <<<"$(helm template mcpfleet-crds)"
}

# A Deployment with a forbidden pod template is let in with a warning; its pods are not. So a pod is tried.
pod_security() {
  part serviceaccount.yaml | apply >/dev/null
  local template
  template=$(part deployment.yaml | apply --dry-run=client -o 'jsonpath={.spec.template.spec}')
  pod() { printf '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "%s"}, "spec": %s}' "$release_namespace" "$1"; }
  check "Restricted pod security takes the pod" apply --dry-run=server <<<"$(pod "$template")"
  check_not "Restricted pod security is in force" 'violates PodSecurity "restricted' apply --dry-run=server \
    <<<"$(pod "${template//\"runAsNonRoot\":true/\"runAsNonRoot\":false}")"
}

# Whether the operator may do so with grants. kubectl asks of kinds only that the cluster has.
about_grants() {
  local review='{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "%s",
    "resourceAttributes": {"namespace": "%s", "verb": "%s", "group": "gateway.networking.k8s.io", "resource": "referencegrants"}}}'
  local operator="system:serviceaccount:$release_namespace:mcpfleet-operator" allowed
  # shellcheck disable=SC2059 # the text is our own
  allowed=$(printf "$review" "$operator" "$release_namespace" "$1" | kubectl create -f - -o 'jsonpath={.status.allowed}')
  [ "$allowed" = "$2" ]
}

# The operator's rights as the API server sees them.
operator_rights() {
  part rbac.yaml --set rbac.scope=Namespace | apply >/dev/null
  part tokenreviews.yaml --set rbac.scope=Namespace | apply >/dev/null
  can() { kubectl --as="system:serviceaccount:$release_namespace:mcpfleet-operator" auth can-i "$@"; }
  local here=(--namespace "$release_namespace")
  check "may read tools" can list mcptools.mcpfleet.dev "${here[@]}"
  check "may write status" can patch mcpservers.mcpfleet.dev --subresource=status "${here[@]}"
  check "may apply Deployments" can patch deployments.apps "${here[@]}"
  check "may hold the lease" can patch leases.coordination.k8s.io/mcpfleet-operator "${here[@]}"
  check_not "may hold no other lease" '^no' can patch leases.coordination.k8s.io/another "${here[@]}"
  check_not "may not write specs" '^no' can patch mcpservers.mcpfleet.dev "${here[@]}"
  check "may scale" can patch mcpservers.mcpfleet.dev --subresource=scale "${here[@]}"
  check_not "may not replace status" '^no' can update mcpservers.mcpfleet.dev --subresource=status "${here[@]}"
  check "may have tokens reviewed" can create tokenreviews.authentication.k8s.io
  check_not "may not run commands in pods" '^no' can create pods --subresource=exec "${here[@]}"
  check "may read grants" about_grants list true
  check "may not grant" about_grants create false
  local verb
  for verb in get list watch patch update delete; do
    check_not "may not $verb Secrets" '^no' can "$verb" secrets "${here[@]}"
  done
  check_not "may not create Secrets elsewhere" '^no' can create secrets --namespace default
  check "may create Secrets" can create secrets "${here[@]}"
  for verb in get update; do
    check "may $verb its authority" can "$verb" secrets/mcpfleet-operator-ca "${here[@]}"
    check "may $verb its session keys" can "$verb" secrets/mcpfleet-operator-session-keys "${here[@]}"
  done
  check_not "may get no other Secret" '^no' can get secrets/another "${here[@]}"
  check_not "may do nothing elsewhere" '^no' can list mcptools.mcpfleet.dev --namespace default
}

lints
values_are_checked
definitions_are_kept
images
rights
fleet_port
switches
if kubectl version --request-timeout=5s >/dev/null 2>&1; then
  set_up
  accepted
  pod_security
  operator_rights
else
  say "      no cluster answers: what the API server thinks was not tried"
fi
[ "$failures" = 0 ] || { say "$failures failed"; exit 1; }
say "the charts render what they should"
