# Sourced by lab: containerd with its own API (namespace "lab") and CRI. docker and cri use the same one.

CONTAINERD_SOCKET() { echo "$D/run/containerd.sock"; }

ensure_containerd() {
  [ ! -S "$(CONTAINERD_SOCKET)" ] || return 0
  need containerd runc ctr
  mkdir -p "$D/containerd/root" "$D/containerd/state" "$D/containerd/cni"
  containerd_config > "$D/containerd/config.toml"
  start containerd containerd --config "$D/containerd/config.toml"
  wait_until in_lab ctr --address "$(CONTAINERD_SOCKET)" version
  fact LAB_CONTAINERD_SOCKET "$(CONTAINERD_SOCKET)"
}

containerd_config() {
  cat <<TOML
version = 2
root = "$D/containerd/root"
state = "$D/containerd/state"
oom_score = 0
[grpc]
  address = "$(CONTAINERD_SOCKET)"
[plugins."io.containerd.internal.v1.opt"]
  path = "$D/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  sandbox_image = "docker.io/library/mirrorfs-lab:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$D/containerd/cni"
TOML
}

lab_ctr() { in_lab ctr --address "$(CONTAINERD_SOCKET)" "$@"; }

ctr_run() { # NAME EXTRA-OPTIONS...
  local name=$1
  shift
  lab_ctr -n lab run --detach --snapshotter overlayfs --cgroup "/$(GROUP)/ctr-$name" \
    --mount "type=bind,src=$D/volumes/bind,dst=/volumes/bind,options=rbind:rw" \
    --mount "type=bind,src=$D/volumes/readonly,dst=/volumes/readonly,options=rbind:ro" \
    --mount "type=tmpfs,dst=/volumes/tmpfs,options=size=16m" "$@" docker.io/library/mirrorfs-lab:1 "$name" /keep-running
}

up_containerd() {
  ensure_containerd
  lab_ctr -n lab images import --snapshotter overlayfs "$D/image/image.tar" > /dev/null
  ctr_run web
  container_facts CONTAINERD_WEB web "$(lab_ctr -n lab task ls | awk '$1 == "web" { print $2 }')" containerd/lab/web \
    "$(CONTAINERD_SOCKET)"
  # A container without a task.
  lab_ctr -n lab container create --snapshotter overlayfs docker.io/library/mirrorfs-lab:1 stopped > /dev/null
  fact CONTAINERD_STOPPED_TARGET containerd/lab/stopped
}
