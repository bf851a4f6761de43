#!/usr/bin/env bash
# Tries the secret access policies on the cluster of KUBECONFIG: each kind, create and update, as users who may
# and may not read a Secret. Everything is a server-side dry run, but for a few objects in a namespace of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."

namespace=mcpfleet-test-secret-access
policies=$(mktemp)
failures=0

say() { printf '%s\n' "$*"; }
k() { kubectl --namespace "$namespace" "$@"; }

cleanup() {
  kubectl delete --ignore-not-found --wait=false -f "$policies" >/dev/null 2>&1 || true
  kubectl delete namespace "$namespace" --ignore-not-found --wait=false >/dev/null 2>&1 || true
  rm -f "$policies"
}
trap cleanup EXIT

# allowed WHAT COMMAND...
allowed() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    say "ok    allowed: $what"
  else
    say "FAIL  should be allowed: $what: $output"
    failures=$((failures + 1))
  fi
}

# refused WHAT PATTERN COMMAND...: by a policy, whose message matches PATTERN.
refused() {
  local what=$1 pattern=$2 output
  shift 2
  if output=$("$@" 2>&1); then
    say "FAIL  should be refused: $what"
  elif grep -q "ValidatingAdmissionPolicy" <<<"$output" && grep -Eq -- "$pattern" <<<"$output"; then
    say "ok    refused: $what"
    return
  else
    say "FAIL  refused for another reason than $pattern: $what: $output"
  fi
  failures=$((failures + 1))
}

# The users: alice may read the Secret `hers` alone, mallory none, carol all; pat may create pods.
create() { k --as="$1" create --dry-run=server -f - <<<"$2"; }
patch() { k --as="$1" patch "$2" "$3" --dry-run=server --type=merge --patch "$4"; }
no() { printf 'may not use Secret "%s".*resourceNames \\["%s"\\]' "$1" "$1"; }

object() { # KIND NAME SPEC
  printf '{apiVersion: mcpfleet.dev/v1alpha1, kind: %s, metadata: {name: %s}, spec: %s}' "$1" "$2" "$3"
}
bearer() { printf '{bearer: {secretRef: {name: %s, key: token}}}' "$1"; }
header() { printf '{header: {name: x-api-key, secretRef: {name: %s, key: token}}}' "$1"; }
basic() { printf '{basic: {secretRef: {name: %s}}}' "$1"; }
client() { printf '{oauthClientCredentials: {tokenUrl: "http://i.example/t", clientId: a, clientSecretRef: {name: %s, key: k}}}' "$1"; }
named_client() {
  printf '{oauthClientCredentials: {tokenUrl: "http://i.example/t", clientIdRef: {name: %s, key: i}, clientSecretRef: {name: hers, key: k}}}' "$1"
}
exchange() {
  printf '{tokenExchange: {tokenUrl: "http://i.example/t", audience: b, clientId: a, clientSecretRef: {name: %s, key: k}}}' "$1"
}
auths=(bearer header basic client named_client exchange)
tool() { object McpTool "$1" "{description: A tool., backend: {http: {url: 'http://a.example/{id}', auth: $2}}}"; }
server() { object McpServer "$1" "{auth: {anonymous: {}}, tools: {selector: {}}, $2}"; }
upstreams() { printf 'upstreams: [{name: up, remote: {url: "http://a.example/mcp", auth: %s}}]' "$1"; }
reference() { printf 'upstreams: [{name: up, serverRef: {name: other, auth: %s}}]' "$1"; }
service() { printf 'upstreams: [{name: up, serviceRef: {name: other, port: 80, auth: %s}}]' "$1"; }
program() { printf 'upstreams: [{name: up, stdio: {image: "a.example/a:1", command: [a], %s}}]' "$1"; }
variable() { printf 'env: [{name: MODE, value: ro}, {name: TOKEN, valueFrom: {secretKeyRef: {name: %s, key: token}}}]' "$1"; }
route() { object ProviderRoute "$1" "{providers: [{name: p, api: OpenAI, baseUrl: 'http://a.example/v1', auth: $2, models: [{name: m}]}]}"; }

# many COUNT SECRET: upstreams that use SECRET, where %s stands for the number of the upstream.
many() {
  local i
  printf 'upstreams: ['
  for ((i = 0; i < $1; i++)); do
    # shellcheck disable=SC2059
    printf '{name: u%s, remote: {url: "http://a.example/%s", auth: %s}},' "$i" "$i" "$(bearer "$(printf "$2" "$i")")"
  done
  printf ']'
}

set_up() {
  # A run that was killed may have left it; a namespace cannot be used again while it goes.
  kubectl delete namespace "$namespace" --ignore-not-found >/dev/null 2>&1
  if ! kubectl get crd mcpservers.mcpfleet.dev mcptools.mcpfleet.dev providerroutes.mcpfleet.dev >/dev/null 2>&1; then
    helm upgrade --install mcpfleet-crds mcpfleet-crds --namespace mcpfleet-system --create-namespace \
      --take-ownership >/dev/null
    kubectl wait --for=condition=Established --timeout=60s crd mcpservers.mcpfleet.dev mcptools.mcpfleet.dev \
      providerroutes.mcpfleet.dev >/dev/null
  fi
  kubectl create namespace "$namespace" >/dev/null
  k apply -f - >/dev/null <<'YAML'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: fleet}
rules:
- {apiGroups: [mcpfleet.dev], resources: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: hers}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [hers], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: all-secrets}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: pods}
rules:
- {apiGroups: [""], resources: [pods], verbs: [create]}
YAML
  k create rolebinding fleet --role=fleet --user=alice --user=mallory --user=carol --user=pat >/dev/null
  k create rolebinding hers --role=hers --user=alice >/dev/null
  k create rolebinding all-secrets --role=all-secrets --user=carol >/dev/null
  k create rolebinding pods --role=pods --user=pat >/dev/null

  # With scope Namespace they meet nothing but this namespace, whatever else is installed.
  helm template secret-access-test mcpfleet --namespace "$namespace" --set rbac.scope=Namespace \
    --show-only 'templates/secret-access/*' >"$policies"
  kubectl apply -f "$policies" >/dev/null
  wait_for_policies
}

# A policy is in force some seconds after it was written, each by itself.
wait_for_policies() {
  local deadline=$((SECONDS + 60)) kind
  for kind in tool server route; do
    local body
    case $kind in
      server) body=$(server probe "$(upstreams "$(bearer other)")") ;;
      *) body=$("$kind" probe "$(bearer other)") ;;
    esac
    until ! create mallory "$body" >/dev/null 2>&1; do
      [ "$SECONDS" -lt "$deadline" ] || { say "FAIL  the policy of the ${kind}s is not in force after 60 s"; exit 1; }
      sleep 0.2
    done
  done
}

# The API server checks the expressions against the schema of the CRDs, and says in status what it finds.
expressions_fit_the_schema() {
  local resource name
  for resource in mcptools mcpservers providerroutes; do
    name=validatingadmissionpolicy/$namespace-secret-access-test-mcpfleet-secret-access-$resource
    allowed "$resource: expressions were checked" \
      kubectl wait "$name" --for=jsonpath='{.status.observedGeneration}'=1 --timeout=60s
    if kubectl get "$name" -o jsonpath='{.status.typeChecking.expressionWarnings}' | grep .; then
      say "FAIL  $resource: an expression does not fit the schema"
      failures=$((failures + 1))
    fi
  done
}

tools() {
  allowed "McpTool without a Secret" create mallory "$(object McpTool t '{description: A tool., backend: {static: {text: hi}}}')"
  local auth
  for auth in "${auths[@]}"; do
    allowed "McpTool, $auth, own Secret" create alice "$(tool t "$("$auth" hers)")"
    refused "McpTool, $auth, another Secret" "$(no other)" create alice "$(tool t "$("$auth" other)")"
    refused "McpTool, $auth, no Secret right" "$(no hers)" create mallory "$(tool t "$("$auth" hers)")"
    allowed "McpTool, $auth, all Secrets" create carol "$(tool t "$("$auth" other)")"
  done

  k apply -f - >/dev/null <<<"$(tool live "$(bearer hers)")"
  allowed "McpTool: same again" create_or_replace mallory "$(tool live "$(bearer hers)")"
  allowed "McpTool: description" patch mallory mcptool live '{"spec": {"description": "Another text."}}'
  allowed "McpTool: timeout" patch mallory mcptool live '{"spec": {"timeout": "3s"}}'
  allowed "McpTool: label" patch mallory mcptool live '{"metadata": {"labels": {"fleet": "support"}}}'
  allowed "McpTool: annotation, finalizer" patch mallory mcptool live \
    '{"metadata": {"annotations": {"a": "b"}, "finalizers": ["example.com/hold"]}}'
  allowed "McpTool: status" k --as=mallory patch mcptool live --dry-run=server --subresource=status --type=merge \
    --patch '{"status": {"servers": []}}'
  allowed "McpTool: Secret removed" patch mallory mcptool live '{"spec": {"backend": {"http": {"auth": null}}}}'
  allowed "McpTool: URL, by who may read it" patch alice mcptool live '{"spec": {"backend": {"http": {"url": "http://b.example/"}}}}'
  refused "McpTool: URL" "$(no hers)" patch mallory mcptool live '{"spec": {"backend": {"http": {"url": "http://b.example/"}}}}'
  refused "McpTool: method" "$(no hers)" patch mallory mcptool live '{"spec": {"backend": {"http": {"method": "DELETE"}}}}'
  refused "McpTool: key of the Secret" "$(no hers)" patch mallory mcptool live \
    '{"spec": {"backend": {"http": {"auth": {"bearer": {"secretRef": {"key": "admin"}}}}}}}'
  refused "McpTool: another Secret" "$(no other)" patch alice mcptool live \
    '{"spec": {"backend": {"http": {"auth": {"bearer": {"secretRef": {"name": "other"}}}}}}}'
  refused "McpTool: from bearer to header" "$(no hers)" patch mallory mcptool live \
    '{"spec": {"backend": {"http": {"auth": {"bearer": null, "header": {"name": "x", "secretRef": {"name": "hers", "key": "token"}}}}}}}'
  allowed "McpTool: delete" k --as=mallory delete mcptool live --dry-run=server
}
create_or_replace() { k --as="$1" replace --dry-run=server -f - <<<"$2"; }

servers() {
  local tls='tls: {secretRef: {name: %s}}' pull='template: {imagePullSecrets: [{name: %s}]}' image='template: {image: evil.example/runtime:1}'
  allowed "McpServer without a Secret" create mallory "$(server s 'replicas: 2')"
  # shellcheck disable=SC2059
  try_server() { # WHAT PART
    allowed "McpServer, $1, own Secret" create alice "$(server s "$(printf "$2" hers)")"
    refused "McpServer, $1, another Secret" "$(no other)" create alice "$(server s "$(printf "$2" other)")"
    refused "McpServer, $1, no Secret right" "$(no hers)" create mallory "$(server s "$(printf "$2" hers)")"
  }
  local auth
  for auth in "${auths[@]}"; do
    try_server "upstream $auth" "$(upstreams "$("$auth" %s)")"
    try_server "serverRef $auth" "$(reference "$("$auth" %s)")"
    try_server "serviceRef $auth" "$(service "$("$auth" %s)")"
  done
  try_server "program's environment" "$(program "$(variable %s)")"
  try_server "program's image pull" "$(program 'imagePullSecrets: [{name: %s}]')"
  allowed "McpServer, program without a Secret" create mallory "$(server s "$(program 'env: [{name: MODE, value: ro}]')")"
  keys() { object McpServer s "{auth: {keys: {secretRef: {name: $1}}}, tools: {selector: {}}}"; }
  allowed "McpServer, keys, own Secret" create alice "$(keys hers)"
  refused "McpServer, keys, another Secret" "$(no other)" create alice "$(keys other)"
  try_server "TLS" "$tls"
  try_server "store" 'store: {redis: {secretRef: {name: %s, key: url}}}'
  try_server "image pull" "$pull"
  refused "McpServer, own image" "may not set spec.template.image" create alice "$(server s "$image")"
  allowed "McpServer, own image, who may create pods" create pat "$(server s "$image")"

  k apply -f - >/dev/null <<<"$(server live "$(upstreams "$(bearer hers)"), tls: {secretRef: {name: hers}},
    template: {image: good.example/runtime:1, imagePullSecrets: [{name: hers}]}")"
  allowed "McpServer: replicas" patch mallory mcpserver live '{"spec": {"replicas": 3}}'
  allowed "McpServer: label" patch mallory mcpserver live '{"metadata": {"labels": {"a": "b"}}}'
  allowed "McpServer: scale" k --as=mallory patch mcpserver live --subresource=scale --dry-run=server --type=merge \
    --patch '{"spec": {"replicas": 4}}'
  allowed "McpServer: status" k --as=mallory patch mcpserver live --dry-run=server --subresource=status --type=merge \
    --patch '{"status": {"replicas": 1}}'
  allowed "McpServer: name and prefix of an upstream" patch mallory mcpserver live \
    '{"spec": {"upstreams": [{"name": "x", "prefix": "x_", "remote": {"url": "http://a.example/mcp", "auth": {"bearer": {"secretRef": {"name": "hers", "key": "token"}}}}}]}}'
  allowed "McpServer: one more upstream without a Secret" k --as=mallory patch mcpserver live --dry-run=server --type=json \
    --patch '[{"op": "add", "path": "/spec/upstreams/0", "value": {"name": "x", "remote": {"url": "http://b.example/mcp"}}}]'
  allowed "McpServer: upstreams removed" patch mallory mcpserver live '{"spec": {"upstreams": null}}'
  allowed "McpServer: TLS name" patch mallory mcpserver live '{"spec": {"tls": {"serverName": "a.example"}}}'
  allowed "McpServer: default image" patch mallory mcpserver live '{"spec": {"template": {"image": null}}}'
  refused "McpServer: another image" "may not set spec.template.image" patch alice mcpserver live '{"spec": {"template": {"image": "evil.example/runtime:1"}}}'
  refused "McpServer: URL of an upstream" "$(no hers)" k --as=mallory patch mcpserver live --dry-run=server --type=json \
    --patch '[{"op": "replace", "path": "/spec/upstreams/0/remote/url", "value": "http://b.example/mcp"}]'
  refused "McpServer: one more upstream with another Secret" "$(no other)" k --as=alice patch mcpserver live --dry-run=server --type=json \
    --patch '[{"op": "add", "path": "/spec/upstreams/0", "value": {"name": "x", "remote": {"url": "http://b.example/mcp", "auth": {"bearer": {"secretRef": {"name": "other", "key": "token"}}}}}}]'
  refused "McpServer: another TLS Secret" "$(no other)" patch alice mcpserver live '{"spec": {"tls": {"secretRef": {"name": "other"}}}}'
  refused "McpServer: a program pulled with the runtime's Secret" "$(no hers)" k --as=mallory patch mcpserver live --dry-run=server --type=json \
    --patch '[{"op": "add", "path": "/spec/upstreams/0", "value": {"name": "x", "stdio": {"image": "a.example/private:1", "command": ["a"]}}}]'
  refused "McpServer: another pull Secret" "$(no other)" patch alice mcpserver live \
    '{"spec": {"template": {"imagePullSecrets": [{"name": "hers"}, {"name": "other"}]}}}'
}

# What a program does with its Secrets follows from its image and command; the rest of it is free.
programs() {
  k apply -f - >/dev/null <<<"$(server program "$(program "$(variable hers), imagePullSecrets: [{name: hers}]")")"
  replace_in() { k --as="$1" patch mcpserver program --dry-run=server --type=json --patch "[{\"op\": \"$2\", \"path\": \"/spec/upstreams/0/$3\", \"value\": $4}]"; }
  allowed "program: name" replace_in mallory replace name '"renamed"'
  allowed "program: resources" replace_in mallory add stdio/resources '{"limits": {"memory": "1Gi"}}'
  allowed "program: processes" replace_in mallory add stdio/processes '"PerSession"'
  allowed "program: image, by who may read it" replace_in alice replace stdio/image '"b.example/b:1"'
  refused "program: image" "$(no hers)" replace_in mallory replace stdio/image '"b.example/b:1"'
  refused "program: command" "$(no hers)" replace_in mallory replace stdio/command '["b"]'
  refused "program: variable" "$(no hers)" replace_in mallory replace stdio/env/0/value '"rw"'
  refused "program: another Secret" "$(no other)" replace_in alice replace stdio/env/1/valueFrom/secretKeyRef/name '"other"'
  refused "program: another pull Secret" "$(no other)" replace_in alice replace stdio/imagePullSecrets/0/name '"other"'

  k apply -f - >/dev/null <<<"$(server reference "$(reference "$(bearer hers)")")"
  refused "serverRef: another server" "$(no hers)" k --as=mallory patch mcpserver reference --dry-run=server --type=json \
    --patch '[{"op": "replace", "path": "/spec/upstreams/0/serverRef/name", "value": "mine"}]'
}

# The policies' budget holds at the bounds of the CRD, and what goes beyond the slots is not let in unseen.
many_secrets() {
  allowed "64 upstreams, one Secret" create alice "$(server s "$(many 64 hers)")"
  refused "16 upstreams, 16 Secrets" 'Secret "s0"' create alice "$(server s "$(many 16 's%s')")"
  refused "17 Secrets, the last ones foreign" 'more than 16 Secrets' create seventeen "$(server s "$(many 17 's%s')")"
  allowed "16 Secrets by name" create seventeen "$(server s "$(many 16 's%s')")"
  local long
  long=$(printf 'x%.0s' {1..240})
  allowed "64 upstreams, 64 Secrets with long names, TLS and 8 pull Secrets, by who may read all" create carol \
    "$(server s "$(many 64 "s%s-$long"), tls: {secretRef: {name: t}},
      template: {imagePullSecrets: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, {name: g}, {name: h}]}")"
}
# programs_of COUNT COMMAND: programs with 16 variables from Secrets each; they differ in their last variable only.
programs_of() {
  local i j
  printf 'upstreams: ['
  for ((i = 0; i < $1; i++)); do
    printf '{name: p%s, stdio: {image: "a.example/a:1", command: [%s], env: [' "$i" "$2"
    for ((j = 0; j < 16; j++)); do printf '{name: V%s, valueFrom: {secretKeyRef: {name: s%s, key: k}}},' "$j" "$j"; done
    printf '{name: LAST, value: "%s"}]}},' "$i"
  done
  printf ']'
}
many_programs() {
  k apply -f - >/dev/null <<<"$(server programs "$(programs_of 64 a)")"
  allowed "64 programs with 16 Secrets each: same again" create_or_replace mallory "$(server programs "$(programs_of 64 a)")"
  allowed "64 programs with 16 Secrets each: another command, by who may read all" \
    create_or_replace carol "$(server programs "$(programs_of 64 b)")"
  refused "64 programs with 16 Secrets each: another command" 'Secret "s0"' \
    create_or_replace mallory "$(server programs "$(programs_of 64 b)")"
}
seventeen_by_name() {
  local names
  names=$(printf -- '--resource-name=s%s ' {0..15})
  # shellcheck disable=SC2086
  k create role sixteen --verb=get --resource=secrets $names >/dev/null
  k create rolebinding sixteen --role=sixteen --user=seventeen >/dev/null
  k create rolebinding seventeen --role=fleet --user=seventeen >/dev/null
}

routes() {
  local auth
  for auth in "${auths[@]}"; do
    allowed "ProviderRoute, $auth, own Secret" create alice "$(route r "$("$auth" hers)")"
    refused "ProviderRoute, $auth, another Secret" "$(no other)" create alice "$(route r "$("$auth" other)")"
    refused "ProviderRoute, $auth, no Secret right" "$(no hers)" create mallory "$(route r "$("$auth" hers)")"
  done
  k apply -f - >/dev/null <<<"$(route live "$(bearer hers)")"
  replace_provider() { k --as="$1" patch providerroute live --dry-run=server --type=json --patch "[{\"op\": \"replace\", \"path\": \"/spec/providers/0/$2\", \"value\": $3}]"; }
  allowed "ProviderRoute: models" replace_provider mallory models '[{"name": "m"}, {"name": "n"}]'
  allowed "ProviderRoute: timeout" replace_provider mallory timeout '"5m"'
  allowed "ProviderRoute: name" replace_provider mallory name '"q"'
  allowed "ProviderRoute: label" patch mallory providerroute live '{"metadata": {"labels": {"a": "b"}}}'
  allowed "ProviderRoute: status" k --as=mallory patch providerroute live --dry-run=server --subresource=status --type=merge \
    --patch '{"status": {"servers": []}}'
  refused "ProviderRoute: URL" "$(no hers)" replace_provider mallory baseUrl '"http://b.example/v1"'
  refused "ProviderRoute: another Secret" "$(no other)" replace_provider alice auth/bearer/secretRef/name '"other"'
}

set_up
expressions_fit_the_schema
tools
servers
programs
seventeen_by_name
many_secrets
many_programs
routes
[ "$failures" = 0 ] || { say "$failures failed"; exit 1; }
say "the secret access policies hold"
