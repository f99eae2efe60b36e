# Sourced by lab: podman as an ordinary user (labuser, uid 4242, known inside the lab only). No service: the command is
# what a rootless user has.

# A command as that user: lab user DIR COMMAND...
# shellcheck disable=SC2046
as_labuser() {
  nsenter --mount --target "$(cat "$D/namespace.pid")" -- setpriv --reuid 4242 --regid 4242 --clear-groups \
    env -i -C "$D/rootless" PATH="$PATH" HOME="$D/rootless/home" XDG_RUNTIME_DIR="$D/rootless/xdg" USER=labuser \
    TMPDIR="$D/rootless/tmp" $(podman_environment "$D/rootless/podman") "$@"
}

lab_rootless() { in_group "$HERE/lab" user "$D" podman "$@"; }

up_rootless() {
  need podman newuidmap setpriv
  mkdir -p "$D"/rootless/{home,tmp,xdg}
  podman_configuration "$D/rootless/podman"
  chmod 0700 "$D/rootless/xdg"
  chmod 0644 "$D/image/image.tar"
  chmod 0711 "$D/image"
  chown -R 4242:4242 "$D/rootless"
  lab_rootless load --quiet --input "$D/image/image.tar" > /dev/null
  lab_rootless run --detach --name web "${PODMAN_RUN_OPTIONS[@]}" mirrorfs-lab:1 > /dev/null
  container_facts ROOTLESS_WEB "$(lab_rootless inspect -f '{{.Id}}' web)" \
    "$(lab_rootless inspect -f '{{.State.Pid}}' web)" podman/web ""
  fact LAB_ROOTLESS_UID 4242
}
