#!/bin/bash
# The lab's mount namespace: made private, and held by this process until it is killed. hold_namespace.sh DIR
set -eu
D=$1
private_directory() { # what the runtimes keep outside their own root
  [ -d "$1" ] || return 0
  mount -t tmpfs -o mode=0755 lab "$1"
}
private_file() { # PATH CONTENT...
  local path=$1 copy
  shift
  copy=$D/run/$(basename "$path")
  { [ ! -f "$path" ] || cat "$path"; printf '%s\n' "$@"; } > "$copy"
  [ -f "$path" ] && mount --bind "$copy" "$path"
}
private_node() { # /dev/NAME MAJOR MINOR: usable by ordinary users, which it is not on every machine
  [ -e "$1" ] || return 0
  mknod -m 0666 "$D/run/$(basename "$1")" c "$2" "$3"
  mount --bind "$D/run/$(basename "$1")" "$1"
}
# Shared among the namespaces made from this one, as podman expects; nothing goes back to the machine.
mount --make-rshared /
private_directory /run
mkdir -p /run/containerd /run/lock
private_node /dev/null 1 3
private_node /dev/fuse 10 229
private_file /etc/subuid "labuser:200000:65536"
private_file /etc/subgid "labuser:200000:65536"
private_file /etc/passwd "labuser:x:4242:4242:lab:$D/rootless/home:/bin/sh"
private_file /etc/group "labuser:x:4242:"
echo $$ > "$D/namespace.pid.new"
mv "$D/namespace.pid.new" "$D/namespace.pid"
exec sleep infinity
