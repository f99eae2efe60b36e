# Sourced by cluster: the machines (control, node-1, node-2) are sets of namespaces, and the wire between them. The first
# process of each is `pause`; with it ends every process, mount and network device that the machine has.
#
# The wire is a bridge in the control plane's network namespace: what the nodes say to each other does not pass through
# this machine's own network stack, whose forwarding and filters stay as they are.

start_machine() { # machine
  if started "$1.init" > /dev/null; then return; fi
  make_group "$1"
  rm -rf --one-file-system "$D/$1/run" "$D/pid/$1".*
  mkdir -p "$D/$1"/{run,kubelet,containerd,logs}
  cp "$IMAGES/pause" "$D/$1/init"
  (join_group "$1" &&
    exec setsid unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child=KILL --propagation slave \
      "$HERE/machine_setup.sh" "$D" "$1" >> "$D/log/$1.machine" 2>&1 < /dev/null) &
  remember "$1.unshare" $!
  disown
  wait_for 20 "the namespaces of $1" started "$1.init"
  settle_group "$1"
}

in_network() { # machine command...: the machine's network, everything else of this machine
  local pid
  pid=$(started "$1.init")
  shift
  nsenter -t "$pid" -n -- "$@"
}

connect_control() {
  if in_network control ip link show wire > /dev/null 2>&1; then return; fi
  ip link delete "$LINK" 2> /dev/null || true   # of an earlier life
  # An address of its own: else a bridge's changes with its ports.
  in_network control ip link add wire address 02:87:00:00:00:02 type bridge
  in_network control ip address add "$WIRE.2/24" dev wire
  in_network control ip link set wire up
  in_network control ip address add "$SERVICES.1/32" dev lo
  ip link add "$LINK" type veth peer name host netns "$(started control.init)"
  touch "$D/linked"   # the link is ours, and ours to delete
  in_network control ip link set host master wire up
  ip address add "$WIRE.1/24" dev "$LINK"
  ip link set "$LINK" up
  ip route add "$SERVICES.0/24" via "$WIRE.2"
  ip route add "$PODS.0/24" via "$WIRE.2"
}

connect_node() { # node
  local other
  if in_network "$1" ip link show eth0 > /dev/null 2>&1; then return; fi
  in_network control ip link delete "$1" 2> /dev/null || true   # of an earlier life
  in_network control ip link add "$1" type veth peer name eth0 netns "$(started "$1.init")"
  in_network control ip link set "$1" master wire up
  in_network control ip route replace "$PODS.$(pods_of "$1")/25" via "$(address_of "$1")"
  in_network "$1" ip address add "$(address_of "$1")/24" dev eth0
  in_network "$1" ip link set eth0 up
  in_network "$1" ip route add default via "$WIRE.2"
  for other in $NODES; do
    [ "$other" = "$1" ] || in_network "$1" ip route add "$PODS.$(pods_of "$other")/25" via "$(address_of "$other")"
  done
  in_network "$1" ip link show pods > /dev/null 2>&1 ||
    in_network "$1" ip link add pods address "02:88:00:00:00:0${1#node-}" type bridge
}
