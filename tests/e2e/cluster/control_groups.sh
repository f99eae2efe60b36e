# Sourced by all parts: each machine has a control group of its own, in every hierarchy (version 1 and hybrid) or in the
# one that there is (version 2). What is in it is ended with the cluster.

is_unified() { [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; }

hierarchies() {
  local place
  if is_unified; then echo /sys/fs/cgroup; return; fi
  for place in /sys/fs/cgroup/*; do
    if [ -f "$place/cgroup.procs" ] && [ ! -L "$place" ]; then echo "$place"; fi
  done
}

make_group() { # machine
  local hierarchy group
  for hierarchy in $(hierarchies); do
    group=$hierarchy/$GROUP/$1
    mkdir -p "$group"
    if is_unified; then
      mkdir -p "$group/init"
      delegate "$hierarchy" && delegate "$hierarchy/$GROUP"
    else
      fill_cpuset "$hierarchy" "$hierarchy/$GROUP"
      fill_cpuset "$hierarchy" "$group"
    fi
  done
}

# A new cpuset of version 1 is empty, and takes no process until it is filled.
fill_cpuset() { # from to
  local file
  for file in cpuset.cpus cpuset.mems; do
    if [ -f "$2/$file" ] && [ -z "$(cat "$2/$file")" ]; then cat "$1/$file" > "$2/$file"; fi
  done
}

# Version 2: the kubelet's groups get every controller, which only a group without processes can hand down.
delegate() { # group
  local controller
  for controller in $(cat "$1/cgroup.controllers"); do
    echo "+$controller" > "$1/cgroup.subtree_control" 2> /dev/null || fail "$1 cannot hand down \"$controller\""
  done
}

# The calling (sub)shell goes into a machine's group, and what it starts too.
join_group() { # machine
  local hierarchy leaf=
  if is_unified && [ -s "$D/pid/$1.init" ]; then leaf=/init; fi
  for hierarchy in $(hierarchies); do echo "$BASHPID" > "$hierarchy/$GROUP/$1$leaf/cgroup.procs"; done
}

# Version 2: the namespace's root is the group in which its first process was; that one must then leave it.
settle_group() { # machine
  local group pid
  is_unified || return 0
  group=/sys/fs/cgroup/$GROUP/$1
  for pid in $(cat "$group/cgroup.procs"); do echo "$pid" > "$group/init/cgroup.procs"; done
  delegate "$group"
}

group_processes() {
  local hierarchy
  for hierarchy in $(hierarchies); do
    find "$hierarchy/$GROUP" -name cgroup.procs -exec cat {} + 2> /dev/null
  done | sort -un
}

kill_groups() {
  local deadline=$((SECONDS + 30)) processes
  while processes=$(group_processes) && [ -n "$processes" ]; do
    # shellcheck disable=SC2086
    kill -KILL $processes 2> /dev/null || true
    [ $SECONDS -lt $deadline ] || fail "processes do not end: $processes"
    sleep 0.05
  done
}

remove_groups() {
  local hierarchy group
  for hierarchy in $(hierarchies); do
    group=$hierarchy/$GROUP
    for _ in $(seq 60); do   # the kernel frees the last ones a moment after their processes
      [ -d "$group" ] || break
      find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.05
    done
    [ ! -d "$group" ] || fail "$group is still there"
  done
}
