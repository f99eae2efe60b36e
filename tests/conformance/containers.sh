# Sourced by session.sh: containers with the cases' lower files, mounts of them, and the same layers mounted natively.
# Uses D (a fresh directory), BIN, HERE, USER_ID.

# Ordinary users may use these two everywhere but on some test machines; only this mount namespace sees the change.
usable_devices() {
  local node
  for node in "null 1 3" "fuse 10 229"; do
    # shellcheck disable=SC2086
    set -- $node
    mknod "$D/$1" c "$2" "$3"
    chmod 0666 "$D/$1"
    mount --bind "$D/$1" "/dev/$1"
  done
}

# The image: a busybox system (the lab's first layer) and the lower files of both runs.
make_image_of_cases() {
  local lower=$D/lower
  mkdir -p "$lower/root_case" "$lower/user_case"
  "$BIN/mirrorfs-conformance" --make-lower "$lower/root_case"
  "$BIN/mirrorfs-conformance" --make-lower "$lower/user_case" --owner "$USER_ID"
  chown "$USER_ID:$USER_ID" "$lower/user_case"
  tar --create --format=pax --xattrs --xattrs-include='user.*' --pax-option=delete=atime,delete=ctime \
    --directory "$lower" --file "$D/cases.tar" root_case user_case
  rm -rf "$lower"
  /usr/bin/python3 "$HERE/../../agent/image/pack_image.py" --name mirrorfs-conformance:1 --command /keep-running \
    --layer "$D/lab/image/layer1.tar" --layer "$D/cases.tar" --output "$D/image.tar"
  rm "$D/cases.tar"
}

start_lab() {
  "$HERE/../lab/lab" up "$D/lab" docker > "$D/lab-up.log" 2>&1 || { cat "$D/lab-up.log" >&2; return 1; }
  . "$D/lab/env"
  make_image_of_cases
  in_docker load --quiet --input "$D/image.tar" > "$D/load.log" 2>&1 || { cat "$D/load.log" >&2; return 1; }
  rm "$D/image.tar"
  # Image layers have no holes; the files that should have some get them before a container uses the layer.
  local file
  for file in "$D"/lab/docker/root/overlay2/*/diff/{root,user}_case/cases/*/sparse; do
    fallocate --dig-holes "$file"
  done
}

in_docker() { DOCKER_CONFIG="$D/lab/docker/config" /usr/bin/docker -H "unix://$LAB_DOCKER_SOCKET" "$@"; }

# start_container NAME OPTIONS...: sets PID_NAME.
start_container() {
  local name=$1
  shift
  in_docker run --detach --name "$name" --network none "$@" mirrorfs-conformance:1 > /dev/null
  printf -v "PID_$name" %s "$(in_docker inspect -f '{{.State.Pid}}' "$name")"
}

# The options of the overlay that is the root of a process, without its upper directory.
reference_options() { # PID
  awk '$5 == "/" { line = $0; sub(/.* - overlay [^ ]+ /, "", line); print line }' "/proc/$1/mountinfo" | tail -1 |
    tr ',' '\n' | grep -v -e '^rw$' -e '^upperdir=' -e '^workdir=' | paste -sd,
}

# Two: one with an upper directory of its own, and a read-only file system of the lower ones.
mount_reference() { # NAME PID
  local place=$D/$1/reference options
  options=$(reference_options "$2")
  mkdir -p "$place"/{upper,work,all,ro}
  mount -t overlay overlay -o "$options,upperdir=$place/upper,workdir=$place/work" "$place/all" &&
    mount -t overlay overlay -o "ro,$options" "$place/ro"
}

# mount_subject NAME USER-COMMAND... -- OPTIONS...: mounts at $D/NAME/{rw,ro}.
mount_subject() {
  local name=$1 pid_variable=PID_$1 run=()
  shift
  while [ "$1" != -- ]; do run+=("$1"); shift; done
  shift
  local options="$*"
  mkdir -p "$D/$name"/{rw,ro,run}
  [ "$name" != user_case ] || chown "$USER_ID:$USER_ID" "$D/$name"/{rw,ro,run}
  chmod 0700 "$D/$name/run"
  mounted+=("$name/rw" "$name/ro")
  # shellcheck disable=SC2086
  "${run[@]}" "$BIN/mirrorfs" mount --rw $options "pid/${!pid_variable}" "$D/$name/rw" &&
    "${run[@]}" "$BIN/mirrorfs" mount $options "pid/${!pid_variable}" "$D/$name/ro"
}
mounted=()

unmount_subjects() {
  local place
  for place in "${mounted[@]}"; do
    XDG_RUNTIME_DIR="$D/${place%/*}/run" "$BIN/mirrorfs" umount -f "$D/$place" > "$D/umount.log" 2>&1 ||
      umount --lazy "$D/$place" 2> /dev/null || true
  done
  mounted=()
}

unmount_references() {
  local place
  for place in "$D"/{root,user}_case/reference; do
    umount --lazy "$place/ro" "$place/all" 2> /dev/null || true
    rm -rf "$place/upper" "$place/work"
  done
}
