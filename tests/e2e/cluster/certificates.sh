# Sourced by cluster: the authorities, keys and certificates of a cluster, and its kubeconfigs, all in DIR/pki.

make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

make_authority() { # name
  make_key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/CN=mirrorfs-test-$1" -days 3650 -sha256 -out "$1.crt" \
    -addext "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"
}

make_certificate() { # name subject usage [alternative names]
  make_key "$1"
  openssl req -new -key "$1.key" -subj "$2" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 8)" -days 3650 -sha256 \
      -out "$1.crt" 2> /dev/null -extfile <(
        printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n' "$3"
        [ -z "${4:-}" ] || echo "subjectAltName=$4"
      )
}

make_certificates() (
  local node
  [ ! -f "$D/pki/made" ] || return 0
  umask 077
  cd "$D/pki"
  make_authority ca
  make_authority front-proxy-ca
  make_key service-accounts
  openssl ec -in service-accounts.key -pubout -out service-accounts.pub 2> /dev/null
  make_certificate apiserver "/CN=kube-apiserver" serverAuth "IP:$SERVICES.1,IP:$WIRE.2,IP:127.0.0.1,DNS:localhost,\
DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  make_certificate apiserver-kubelet "/O=system:masters/CN=kube-apiserver-kubelet-client" clientAuth
  make_certificate admin "/O=system:masters/CN=admin" clientAuth
  make_certificate kube-controller-manager "/CN=system:kube-controller-manager" clientAuth
  make_certificate kube-scheduler "/CN=system:kube-scheduler" clientAuth
  for node in $NODES; do
    make_certificate "$node" "/O=system:nodes/CN=system:node:$node" clientAuth
    make_certificate "$node-server" "/O=system:nodes/CN=system:node:$node" serverAuth "IP:$(address_of "$node"),DNS:$node"
  done
  touch made
)

kubeconfig() { # user
  cat << TEXT
apiVersion: v1
kind: Config
clusters:
- {name: mirrorfs-test, cluster: {server: "https://$SERVICES.1", certificate-authority-data: $(base64 -w0 "$D/pki/ca.crt")}}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$D/pki/$1.crt"), client-key-data: $(base64 -w0 "$D/pki/$1.key")}
contexts:
- {name: mirrorfs-test, context: {cluster: mirrorfs-test, user: $1}}
current-context: mirrorfs-test
TEXT
}

make_kubeconfigs() (
  local user
  umask 077
  for user in kube-controller-manager kube-scheduler $NODES; do kubeconfig "$user" > "$D/pki/$user.conf"; done
  kubeconfig admin > "$D/admin.conf"
)
