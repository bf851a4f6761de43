# shellcheck shell=bash
# What a cluster must have beside its components, and how it is asked whether it is ready.

kc() { KUBECACHEDIR=$DIR/cache "$BIN/kubectl" --kubeconfig "$DIR/kubeconfig" --request-timeout=10s "$@"; }

node_api_ready() { find_jail && kc get --raw /readyz >/dev/null 2>&1; }

node_ready() {
  [[ $(kc get node "$NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) == True ]]
}

node_condition() {
  kc get node "$NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].message}' 2>&1 || true
}

default_account() { kc -n default get serviceaccount default >/dev/null 2>&1; }

# CoreDNS answers 200 at /ready once it has seen Services.
dns_ready() {
  local line=''
  # In a shell of its own: a failed redirection of `exec` would end this one.
  line=$(exec 7<>"/dev/tcp/$NODE_IP/8181" && printf 'GET /ready HTTP/1.0\r\n\r\n' >&7 && head -n 1 <&7) 2>/dev/null
  [[ $line == *' 200 '* ]]
}

apply_addons() {
  wait_for 30 kc apply --server-side -f "$DIR/etc/addons.yaml" >/dev/null
}

load_pause() {
  local tar=$DIR/data/pause.tar
  "$BIN/image" -o "$tar" -ref "$PAUSE_IMAGE" -entrypoint /pause -user 65535:65535 "$BIN/pause:/pause" &&
    wait_for 30 containerd_ready && import "$tar" >/dev/null && rm "$tar"
}
