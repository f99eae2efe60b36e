# Sourced by the scripts that compare a container's mount with its layers: a directory of their own (D), and that nothing
# of it stays, whatever happens. Uses HERE (this directory) and BIN; runs in a mount namespace of its own.
USER_ID=1000
ROOT_OPTIONS="--as caller -o allow_other,default_permissions,suid,dev,symlinks=raw"
USER_OPTIONS="--as container -o symlinks=raw"

D=$(mktemp -d /var/tmp/mconf.XXXXXX)
chmod 0711 "$D"
. "$HERE/containers.sh"
. "$HERE/runs.sh"

finish() {
  local status=$?
  trap - EXIT INT TERM
  set +e
  unmount_subjects
  unmount_references
  "$HERE/../lab/lab" down "$D/lab" > "$D/lab-down.log" 2>&1 || cat "$D/lab-down.log" >&2
  rm -rf --one-file-system "$D"
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
usable_devices
