# Sourced by cluster: containerd, the pods' network and the kubelet of a node, and images for it.

write_containerd_settings() { # node
  cat > "$D/conf/$1.containerd.toml" << TEXT
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "$RUNTIME_SOCKET"
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/mirrorfs-test/pause:1"
  # Without CAP_SYS_RESOURCE nothing may go below our own oom_score_adj.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$D/conf/$1.cni"
TEXT
}

write_pod_network() { # node
  local first
  first=$(pods_of "$1")
  mkdir -p "$D/conf/$1.cni"
  cat > "$D/conf/$1.cni/10-bridge.conflist" << TEXT
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}],
            "ranges": [[{"subnet": "$PODS.$first/25", "gateway": "$PODS.$((first + 1))",
                         "rangeStart": "$PODS.$((first + 10))", "rangeEnd": "$PODS.$((first + 120))"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": false}]}
TEXT
}

start_containerd() { # node
  write_containerd_settings "$1"
  write_pod_network "$1"
  run "$1" containerd containerd --config "$D/conf/$1.containerd.toml"
}

# Imports an image archive and prints each of its images as NAME@DIGEST, by which a pod can name it too.
load_image() { # node archive
  local line name digest
  in_machine "$1" ctr -n k8s.io images import - < "$2" | while read -r line; do
    # unpacking docker.io/library/x:1 (sha256:...)...done
    name=$(sed -nE 's/^unpacking ([^ ]+) \((sha256:[0-9a-f]+)\).*/\1/p' <<< "$line")
    digest=$(sed -nE 's/^unpacking ([^ ]+) \((sha256:[0-9a-f]+)\).*/\2/p' <<< "$line")
    [ -n "$name" ] || continue
    in_machine "$1" ctr -n k8s.io images tag --force "$name" "${name%:*}@$digest" > /dev/null
    echo "${name%:*}@$digest"
  done
}

load_images() { # node
  local archive
  wait_for 60 "containerd of $1" in_machine "$1" ctr version
  if [ -f "$D/$1/containerd/images-loaded" ]; then return; fi
  for archive in "$IMAGES"/*.tar; do load_image "$1" "$archive" > /dev/null; done
  touch "$D/$1/containerd/images-loaded"
}

load_all_images() {
  local node waiting=()
  for node in $NODES; do
    load_images "$node" & waiting+=($!)
  done
  for node in "${waiting[@]}"; do wait "$node"; done
}

write_kubelet_settings() { # node
  : > "$D/conf/resolv.conf"
  mkdir -p "$D/$1/manifests" "$D/$1/flexvolume"
  cat > "$D/conf/$1.kubelet.yaml" << TEXT
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $(address_of "$1")
port: 10250
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $D/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $D/pki/$1-server.crt
tlsPrivateKeyFile: $D/pki/$1-server.key
containerRuntimeEndpoint: unix://$RUNTIME_SOCKET
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0                     # as restrict_oom_score_adj of containerd
maxOpenFiles: $(ulimit -Hn)        # the default, 1000000, may be above the hard limit
makeIPTablesUtilChains: false
staticPodPath: $D/$1/manifests
volumePluginDir: $D/$1/flexvolume
resolvConf: $D/conf/resolv.conf
syncFrequency: 2s                  # how soon a changed ConfigMap shows in its volume
imageGCHighThresholdPercent: 100   # no image is ever collected: there is no registry to fetch it from again
imageMaximumGCAge: 0s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
serializeImagePulls: false
kubeAPIQPS: 300
kubeAPIBurst: 600
logging: {flushFrequency: 5s}
TEXT
}

start_kubelet() { # node
  write_kubelet_settings "$1"
  run "$1" kubelet "$HYPER" kubelet --config "$D/conf/$1.kubelet.yaml" --kubeconfig "$D/pki/$1.conf" \
    --hostname-override "$1" --node-ip "$(address_of "$1")"
}

nodes_are_ready() {
  # shellcheck disable=SC2086
  "$KUBECTL" wait --for=condition=Ready $(printf 'node/%s ' $NODES) --timeout=1s
}

kubelets_run() {
  local node
  for node in $NODES; do started "$node.kubelet" > /dev/null || return 1; done
}

nodes_are_ready_or_dead() {
  if kubelets_run; then nodes_are_ready; fi
}
