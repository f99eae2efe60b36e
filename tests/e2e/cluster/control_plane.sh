# Sourced by cluster: etcd, API server, controller manager and scheduler, in the machine `control`. RBAC, node
# authorization, NodeRestriction and (by default) PodSecurity are on, nobody is anonymous.

start_etcd() {
  run control etcd etcd --name control --data-dir "$D/etcd" --logger zap --log-level warn \
    --heartbeat-interval 50 --election-timeout 500 \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster control=http://127.0.0.1:2380
}

start_api_server() {
  run control kube-apiserver "$HYPER" kube-apiserver \
    --etcd-servers http://127.0.0.1:2379 \
    --bind-address "$SERVICES.1" --advertise-address "$SERVICES.1" --secure-port 443 \
    --service-cluster-ip-range "$SERVICES.0/24" \
    --allow-privileged --anonymous-auth=false --profiling=false \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
    --client-ca-file "$D/pki/ca.crt" \
    --tls-cert-file "$D/pki/apiserver.crt" --tls-private-key-file "$D/pki/apiserver.key" \
    --kubelet-certificate-authority "$D/pki/ca.crt" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$D/pki/apiserver-kubelet.crt" --kubelet-client-key "$D/pki/apiserver-kubelet.key" \
    --requestheader-client-ca-file "$D/pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-signing-key-file "$D/pki/service-accounts.key" \
    --service-account-key-file "$D/pki/service-accounts.pub"
}

api_server_is_ready() { "$KUBECTL" get --raw /readyz; }

start_controllers() {
  local controller options
  for controller in kube-controller-manager kube-scheduler; do
    options=()
    if [ $controller = kube-controller-manager ]; then
      mkdir -p "$D/control/flexvolume"
      options=(--use-service-account-credentials --root-ca-file "$D/pki/ca.crt"
        --service-account-private-key-file "$D/pki/service-accounts.key" --flex-volume-plugin-dir "$D/control/flexvolume"
        --cluster-signing-cert-file "$D/pki/ca.crt" --cluster-signing-key-file "$D/pki/ca.key")
    fi
    run control $controller "$HYPER" $controller --kubeconfig "$D/pki/$controller.conf" \
      --authentication-kubeconfig "$D/pki/$controller.conf" --authorization-kubeconfig "$D/pki/$controller.conf" \
      --bind-address 127.0.0.1 --cert-dir "$D/control/$controller" --leader-elect=false --profiling=false \
      --kube-api-qps 300 --kube-api-burst 600 "${options[@]}"
  done
}
