# Sourced by lab: the private place ($D) in which the runtimes live, and how all of it ends.
#
# Everything runs in a mount namespace of its own, so that no mount is left on the machine and /run/containerd,
# /etc/subuid and the like are the lab's own; and in a control group of its own, so that ending it is exact.

GROUP() { echo "mirrorfs-lab-$(basename "$D")-$(echo -n "$D" | cksum | cut -d' ' -f1)"; }

fail() { echo "lab: $*" >&2; return 1; }

need() {
  local program
  for program; do command -v "$program" > /dev/null || fail "$program is missing (apt-get install ${program})"; done
}

fact() { printf '%s=%s\n' "$1" "$2" >> "$D/env"; }

# Waits for a command to succeed; not for ever (LAB_PATIENCE, in seconds).
wait_until() {
  local deadline=$((SECONDS + ${LAB_PATIENCE:-60}))
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "did not come about in time: $*"
    sleep 0.05
  done
}

begin_session() {
  [ "$(id -u)" = 0 ] || fail "needs root"
  [ ${#D} -le 60 ] || fail "$D is too long for the sockets in it (at most 60 characters)"
  [ ! -e "$D/env" ] || fail "$D is in use; end it first: lab down $D"
  need busybox python3 unshare nsenter
  mkdir -p "$D"/{log,image,run,volumes/bind,volumes/readonly}
  chmod 0711 "$D" "$D/run"
  : > "$D/env"
  make_group
  start_namespace
  fill_volumes
  fact LAB_DIR "$D"
  fact LAB_NAMESPACE_PID "$(cat "$D/namespace.pid")"
}

# The hierarchies in which a control group of the lab's own is used: version 1 or 2.
group_roots() {
  if [ -d /sys/fs/cgroup/pids ]; then echo /sys/fs/cgroup/pids; else echo /sys/fs/cgroup; fi
}

make_group() {
  local root
  root=$(group_roots)
  mkdir -p "$root/$(GROUP)/daemons"
}

# Runs a command in the lab's control group; all that it starts stays there.
in_group() {
  (echo "$BASHPID" > "$(group_roots)/$(GROUP)/daemons/cgroup.procs" && exec "$@")
}

start_namespace() {
  in_group unshare --mount --propagation private "$HERE/hold_namespace.sh" "$D" > "$D/log/namespace" 2>&1 &
  wait_until test -s "$D/namespace.pid"
}

# Runs a command in the lab's mount namespace (the caller's control group), with podman set to the lab's storage.
# shellcheck disable=SC2046
in_lab() {
  nsenter --mount --target "$(cat "$D/namespace.pid")" -- env -C "$PWD" $(podman_environment "$D/podman") "$@"
}

# Starts a daemon in the lab: start NAME COMMAND...; its output goes to log/NAME.
start() {
  local name=$1
  shift
  in_group nsenter --mount --target "$(cat "$D/namespace.pid")" -- env -C "$D" "$@" > "$D/log/$name" 2>&1 < /dev/null &
}

fill_volumes() {
  echo "on the bind volume" > "$D/volumes/bind/file"
  echo "on the read-only volume" > "$D/volumes/readonly/file"
  chown 1000:1000 "$D/volumes/bind/file"
}

make_image() {
  /usr/bin/python3 "$HERE/make_layers.py" "$(command -v busybox)" "$D/image"
  /usr/bin/python3 "$HERE/../../agent/image/pack_image.py" --name mirrorfs-lab:1 --command /keep-running \
    --layer "$D/image/layer1.tar" --layer "$D/image/layer2.tar" --output "$D/image/image.tar"
}

# Facts of a running container: container_facts PREFIX ID PID TARGET SOCKET.
container_facts() {
  local prefix=$1 id=$2 pid=$3 target=$4 socket=$5 options
  [ -n "$pid" ] && [ "$pid" != 0 ] || fail "$target has no process"
  fact "${prefix}_ID" "$id"
  fact "${prefix}_PID" "$pid"
  fact "${prefix}_TARGET" "$target"
  fact "${prefix}_SOCKET" "$socket"
  # What the kernel says of the root's mount: ... / ... - overlay overlay rw,lowerdir=a:b,upperdir=c,workdir=d
  options=$(awk '$5 == "/" { sub(/.* - [^ ]+ [^ ]+ /, ""); print }' "/proc/$pid/mountinfo" | tail -1)
  fact "${prefix}_LOWERDIR" "$(option_of "$options" lowerdir)"
  fact "${prefix}_UPPERDIR" "$(option_of "$options" upperdir)"
  fact "${prefix}_WORKDIR" "$(option_of "$options" workdir)"
}

option_of() { tr ',' '\n' <<< "$1" | sed -n "s/^$2=//p"; }

show_logs() {
  local log
  for log in "$D"/log/*; do
    [ -s "$log" ] && { echo "--- $log"; tail -15 "$log"; }
  done
  return 0
}

# Every process of the lab's control groups, containers' too.
group_processes() {
  find "$(group_roots)/$(GROUP)" -name cgroup.procs -exec cat {} + 2> /dev/null || true
}

kill_group() {
  local deadline=$((SECONDS + 20)) processes
  while processes=$(group_processes) && [ -n "$processes" ]; do
    # shellcheck disable=SC2086
    kill -KILL $processes 2> /dev/null || true
    [ $SECONDS -lt $deadline ] || fail "processes do not end: $processes"
    sleep 0.05
  done
}

remove_groups() {
  local root group
  for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
    group=$root/$(GROUP)
    [ -d "$group" ] || continue
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true
    [ ! -d "$group" ] || echo "lab: $group is still there" >&2
  done
}

# Whatever state it is in.
down() {
  kill_group
  remove_groups
  # All mounts went with the namespace; one that is seen from here would be emptied by rm.
  if grep -qF " $D/" /proc/self/mountinfo; then
    fail "there are mounts below $D; not removing it"
  fi
  rm -rf --one-file-system "$D"
}
