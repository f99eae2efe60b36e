# Sourced by lab: podman as root, its own storage, with the Docker-compatible service on a socket.

PODMAN_SOCKET() { echo "$D/run/podman.sock"; }

# What podman needs on a machine without CAP_SYS_RESOURCE and a registry.
PODMAN_RUN_OPTIONS=(--ulimit nofile=1024:1024 --ulimit nproc=1000:1000 --network none)

podman_storage() { # ROOT-DIRECTORY: a storage.conf
  cat <<TOML
[storage]
driver = "overlay"
graphroot = "$1/root"
runroot = "$1/run"
TOML
}

podman_containers() { # DIRECTORY: a containers.conf
  cat <<TOML
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "runc"
tmp_dir = "$1/tmp"
[network]
network_config_dir = "$1/net"
TOML
}

podman_configuration() { # DIRECTORY
  mkdir -p "$1"
  podman_storage "$1" > "$1/storage.conf"
  podman_containers "$1" > "$1/containers.conf"
}

podman_environment() { # DIRECTORY
  echo "CONTAINERS_STORAGE_CONF=$1/storage.conf" "CONTAINERS_CONF=$1/containers.conf"
}

# podman's children (conmon, the container) stay in the lab's control group.
lab_podman() { in_group "$HERE/lab" exec "$D" podman "$@"; }

podman_facts() { # PREFIX NAME
  container_facts "$1" "$(lab_podman inspect -f '{{.Id}}' "$2")" "$(lab_podman inspect -f '{{.State.Pid}}' "$2")" \
    "podman/$2" "$(PODMAN_SOCKET)"
}

up_podman() {
  need podman conmon runc
  podman_configuration "$D/podman"
  # shellcheck disable=SC2046
  start podman env $(podman_environment "$D/podman") podman system service --time 0 "unix://$(PODMAN_SOCKET)"
  wait_until test -S "$(PODMAN_SOCKET)"
  fact LAB_PODMAN_SOCKET "$(PODMAN_SOCKET)"
  lab_podman load --quiet --input "$D/image/image.tar" > /dev/null
  local volumes=(--volume "$D/volumes/bind:/volumes/bind" --volume "$D/volumes/readonly:/volumes/readonly:ro"
                 --tmpfs /volumes/tmpfs:size=16m)
  local options=("${PODMAN_RUN_OPTIONS[@]}" --cgroup-parent "/$(GROUP)")
  lab_podman run --detach --name web "${options[@]}" "${volumes[@]}" mirrorfs-lab:1 > /dev/null
  podman_facts PODMAN_WEB web
  # In a user namespace of its own: root inside is 300000 outside.
  lab_podman run --detach --name mapped "${options[@]}" --uidmap 0:300000:65536 --gidmap 0:400000:65536 \
    mirrorfs-lab:1 > /dev/null
  podman_facts PODMAN_MAPPED mapped
  lab_podman create --name stopped "${PODMAN_RUN_OPTIONS[@]}" mirrorfs-lab:1 > /dev/null
  fact PODMAN_STOPPED_TARGET podman/stopped
}
