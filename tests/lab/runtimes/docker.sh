# Sourced by lab: dockerd on the lab's containerd.

DOCKER_SOCKET() { echo "$D/run/docker.sock"; }

# Another client of this name may come first in PATH.
lab_docker() { DOCKER_CONFIG="$D/docker/config" in_lab /usr/bin/docker -H "unix://$(DOCKER_SOCKET)" "$@"; }

start_docker() {
  need dockerd
  mkdir -p "$D/docker/root" "$D/docker/exec" "$D/docker/config"
  echo '{}' > "$D/docker/daemon.json"
  start dockerd dockerd --config-file "$D/docker/daemon.json" --data-root "$D/docker/root" \
    --exec-root "$D/docker/exec" --pidfile "$D/run/docker.pid" --host "unix://$(DOCKER_SOCKET)" \
    --iptables=false --ip6tables=false --bridge=none \
    --storage-driver overlay2 --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$(GROUP)" \
    --containerd "$(CONTAINERD_SOCKET)" --containerd-namespace lab-docker \
    --containerd-plugins-namespace lab-docker-plugins
  wait_until lab_docker version
  fact LAB_DOCKER_SOCKET "$(DOCKER_SOCKET)"
  fact DOCKER_HOST "unix://$(DOCKER_SOCKET)"
}

docker_run() { # NAME OPTIONS...
  local name=$1
  shift
  lab_docker run --detach --name "$name" --network none "$@" mirrorfs-lab:1 > /dev/null
}

docker_facts() { # PREFIX NAME
  container_facts "$1" "$(lab_docker inspect -f '{{.Id}}' "$2")" "$(lab_docker inspect -f '{{.State.Pid}}' "$2")" \
    "docker/$2" "$(DOCKER_SOCKET)"
}

up_docker() {
  ensure_containerd
  start_docker
  lab_docker load --quiet --input "$D/image/image.tar" > /dev/null
  docker_run web --volume "$D/volumes/bind:/volumes/bind" --volume "$D/volumes/readonly:/volumes/readonly:ro" \
    --tmpfs /volumes/tmpfs:size=16m,mode=1777
  docker_facts DOCKER_WEB web
  # A file with holes cannot lie in a layer: docker fills them.
  lab_docker exec web /bin/sh -c \
    'truncate -s 16M /sparse && printf end | dd of=/sparse bs=1 seek=8388608 conv=notrunc 2> /dev/null'
  # As an ordinary user, without capabilities.
  docker_run app --user 1000:1000 --group-add 50 --cap-drop ALL
  docker_facts DOCKER_APP app
  docker_run stopped
  lab_docker kill stopped > /dev/null
  lab_docker wait stopped > /dev/null
  fact DOCKER_STOPPED_TARGET docker/stopped
}
