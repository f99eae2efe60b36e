# Sourced by lab: pods through the CRI of the lab's containerd. No network: the pods use the host's.

lab_cri() { in_lab /usr/bin/python3 "$HERE/cri_client.py" "$(CONTAINERD_SOCKET)" "$@"; }

cri_pod() { # POD: prints the container's id
  lab_cri run --pod "$1" --namespace shop --container app --cgroup-parent "/$(GROUP)" \
    --image docker.io/library/mirrorfs-lab:1 --log-directory "$D/log" \
    --mount "$D/volumes/bind:/volumes/bind" --mount "$D/volumes/readonly:/volumes/readonly:ro"
}

cri_facts() { # PREFIX ID
  container_facts "$1" "$2" "$(lab_cri pid "$2")" "cri/$2" "$(CONTAINERD_SOCKET)"
}

up_cri() {
  local web0 web1 ended
  /usr/bin/python3 -c 'import grpc, google.protobuf' 2> /dev/null ||
    fail "python3-grpcio and python3-protobuf are missing"
  ensure_containerd
  lab_ctr -n k8s.io images import --snapshotter overlayfs "$D/image/image.tar" > /dev/null
  web0=$(cri_pod web-0)
  cri_facts CRI_WEB0 "$web0"
  web1=$(cri_pod web-1)
  cri_facts CRI_WEB1 "$web1"
  ended=$(cri_pod ended)
  lab_cri stop "$ended"
  fact CRI_STOPPED_TARGET "cri/$ended"
}
