# shellcheck shell=bash
# The cluster's certificates and kubeconfigs. EC keys, made side by side: 0.3 s instead of 2.
# All carry extensions: without any, openssl makes X.509 v1, which rustls refuses.

make_ca() {
  openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=$1" \
    -addext keyUsage=critical,keyCertSign,digitalSignature,cRLSign \
    -keyout "$PKI/$1.key" -out "$PKI/$1.crt" 2>/dev/null
}

# make_cert NAME CA SUBJECT EXTENSION...
make_cert() {
  local name=$1 ca=$2 subject=$3
  shift 3
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" \
    -keyout "$PKI/$name.key" -out "$PKI/$name.csr" 2>/dev/null
  openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/$ca.crt" -CAkey "$PKI/$ca.key" -days 365 \
    -set_serial "0x$(openssl rand -hex 8)" \
    -extfile <(printf '%s\n' 'keyUsage=critical,digitalSignature' 'basicConstraints=CA:FALSE' "$@") \
    -out "$PKI/$name.crt" 2>/dev/null
  rm "$PKI/$name.csr"
}

client() { make_cert "$1" "$2" "$3" extendedKeyUsage=clientAuth; }
server() { make_cert "$1" ca "$2" extendedKeyUsage=serverAuth "subjectAltName=$3"; }

make_certs() {
  PKI=$DIR/pki
  mkdir -p "$PKI"
  chmod 0700 "$PKI"
  make_ca ca
  make_ca front-proxy-ca
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$PKI/service-accounts.key"
  openssl pkey -in "$PKI/service-accounts.key" -pubout -out "$PKI/service-accounts.pub"
  local domain=kubernetes.default.svc jobs=() job
  server kube-apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:$domain,DNS:$domain.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$NODE_IP,IP:$JAIL_IP,IP:$SERVICE_IP" & jobs+=($!)
  server kubelet-server "/O=system:nodes/CN=system:node:$NAME" "DNS:$NAME,IP:$NODE_IP" & jobs+=($!)
  client kubelet ca "/O=system:nodes/CN=system:node:$NAME" & jobs+=($!)
  client admin ca /O=system:masters/CN=admin & jobs+=($!)
  client kube-apiserver-kubelet ca /O=system:masters/CN=kube-apiserver-kubelet & jobs+=($!)
  client kube-controller-manager ca /CN=system:kube-controller-manager & jobs+=($!)
  client kube-scheduler ca /CN=system:kube-scheduler & jobs+=($!)
  client kube-proxy ca /CN=system:kube-proxy & jobs+=($!)
  client coredns ca /CN=system:coredns & jobs+=($!)
  client front-proxy front-proxy-ca /CN=front-proxy & jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job" || die "openssl could not make the certificates" "" "try 'openssl version'"; done
}

# kubeconfig CLIENT > FILE: self-contained, so that it can be copied elsewhere.
kubeconfig() {
  cat <<END
apiVersion: v1
kind: Config
current-context: $NAME
clusters:
- name: $NAME
  cluster:
    server: https://$NODE_IP:6443
    certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$PKI/$1.crt")
    client-key-data: $(base64 -w0 "$PKI/$1.key")
contexts:
- name: $NAME
  context: {cluster: $NAME, user: $1}
END
}

make_kubeconfigs() {
  local client
  umask 077
  for client in kubelet kube-controller-manager kube-scheduler kube-proxy coredns; do
    kubeconfig "$client" >"$DIR/etc/$client.kubeconfig"
  done
  kubeconfig admin >"$DIR/kubeconfig"
  umask 022
}
