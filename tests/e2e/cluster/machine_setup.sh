#!/bin/bash
# machine_setup.sh DIR MACHINE: runs as the first process in a machine's new namespaces (mount, pid, net, uts, ipc,
# cgroup), makes them look like a computer of its own, then becomes the init that reaps.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
D=$1 machine=$2
. "$HERE/processes.sh"

read -r outside _ < /proc/self/stat   # the old /proc still stands: our process id outside

own_proc_and_sys() {
  local cgroup_mounts links
  cgroup_mounts=$(awk '$3 == "cgroup" || $3 == "cgroup2" { print $2, $3, $4 }' /proc/mounts)
  links=$(find /sys/fs/cgroup -maxdepth 1 -type l -printf '%p %l\n')
  mount --make-rshared /              # propagation into pods and out of them needs it
  mount -t proc proc /proc
  umount -lR /sys                     # the new one shows this network namespace
  mount -t sysfs sysfs /sys
  if grep -q '^/sys/fs/cgroup cgroup2 ' <<< "$cgroup_mounts"; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
  else
    own_hierarchies
  fi
}

own_hierarchies() {                   # version 1 and hybrid
  local place kind options target
  mount -t tmpfs -o mode=0755 cgroup /sys/fs/cgroup
  while read -r place kind options; do
    options=$(tr , '\n' <<< "$options" | sed -E '/^(rw|ro|nosuid|nodev|noexec|relatime|nsdelegate)$/d' | paste -sd,)
    mkdir -p "$place"
    mount -t "$kind" ${options:+-o "$options"} "$kind" "$place"
  done <<< "$cgroup_mounts"
  while read -r place target; do
    [ -z "$place" ] || ln -s "$target" "$place"
  done <<< "$links"
}

# The fixed places of kubelet, containerd and CNI are the machine's own; what needs a disk lies in DIR.
own_places() {
  local place
  for place in /run /var/lib /var/log; do mount -t tmpfs -o mode=0755 "$machine" "$place"; done
  mkdir -p /run/containerd /run/lock /var/lib/{kubelet,containerd,cni} /var/log/pods /var/log/containers
  mount --bind "$D/$machine/run" /run/containerd
  mount --bind "$D/$machine/kubelet" /var/lib/kubelet
  mount --bind "$D/$machine/containerd" /var/lib/containerd
  mount --bind "$D/$machine/logs" /var/log/pods
}

# The kubelet insists on these values; it finds them, and those of the computer stay as they are.
own_sysctls() {
  local name value copy
  mkdir -p /run/sysctl
  while read -r name value; do
    copy=/run/sysctl/${name//\//.}
    echo "$value" > "$copy"
    mount --bind "$copy" "/proc/sys/$name"
  done <<'VALUES'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
VALUES
}

own_proc_and_sys
own_places
own_sysctls
hostname "$machine"
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
echo "$outside $(start_of 1)" > "$D/pid/$machine.init"
exec "$D/$machine/init"
