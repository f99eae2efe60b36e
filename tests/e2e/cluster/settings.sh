# Sourced by all parts: where a cluster ($D) keeps what, and how it is reached. Everything can be set from the environment
# when a cluster is made, and is remembered in $D/env.

CACHE=${MIRRORFS_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mirrorfs}
NODES="node-1 node-2"
SETTINGS="INDEX LINK WIRE PODS SERVICES HYPER KUBECTL IMAGES"

read_settings() {
  # shellcheck disable=SC1091
  if [ -f "$D/env" ]; then . "$D/env"; fi
  INDEX=${INDEX:-0}                     # clusters live side by side when DIR and INDEX differ; 0 to 255
  LINK=${LINK:-mirrorfs-k$INDEX}        # this machine's end of the wire to the cluster (at most 15 characters)
  WIRE=${WIRE:-10.87.$INDEX}            # the wire: this machine .1, the control plane .2, node-1 .11, node-2 .12
  PODS=${PODS:-10.88.$INDEX}            # pods: .0/25 on node-1, .128/25 on node-2
  SERVICES=${SERVICES:-10.89.$INDEX}    # services; .1, port 443, is the API server
  HYPER=${HYPER:-}                      # what build_programs.sh and make_images.sh made
  KUBECTL=${KUBECTL:-}
  IMAGES=${IMAGES:-}
  GROUP=mirrorfs-cluster-$(basename "$D")-$(echo -n "$D" | cksum | cut -d' ' -f1)
  RUNTIME_SOCKET=/run/containerd/containerd.sock   # as a node sees it; $D/NODE/run/containerd.sock from outside
  export KUBECONFIG=$D/admin.conf KUBECACHEDIR=$D/kubectl-cache
}

remember_settings() {
  local setting
  for setting in $SETTINGS; do printf '%s=%q\n' "$setting" "${!setting}"; done > "$D/env"
}

check_settings() {
  local place
  [ "$(id -u)" = 0 ] || fail "needs root"
  for place in /run /var/lib /var/log /proc /sys /dev; do   # a node has its own
    case $D/ in $place/*) fail "DIR may not lie below $place" ;; esac
  done
  case $INDEX in ''|*[!0-9]*) fail "INDEX is a number from 0 to 255, not \"$INDEX\"" ;; esac
  [ "$INDEX" -le 255 ] || fail "INDEX is a number from 0 to 255, not \"$INDEX\""
  if [ ! -f "$D/linked" ] && ip link show "$LINK" > /dev/null 2>&1; then
    fail "INDEX $INDEX is another cluster's ($LINK is there): take another"
  fi
  need etcd containerd containerd-shim-runc-v2 runc ctr openssl ip unshare nsenter iptables
}

# A kubelet without them ends at once; a cluster needs about 30, and 128 for each user is the kernel's default.
check_watchers() {
  /usr/bin/python3 -c 'import ctypes; exit(min(ctypes.CDLL(None).inotify_init() for _ in range(40)) < 0)' ||
    fail "too few inotify instances are left (sysctl fs.inotify.max_user_instances, 128 by default: raise it, or end another cluster)"
}

address_of() { # machine -> on the wire
  case $1 in control) echo "$WIRE.2" ;; *) echo "$WIRE.$((10 + ${1#node-}))" ;; esac
}

pods_of() { # node -> first part of the last byte, of a network of 128 addresses
  echo $((128 * (${1#node-} - 1)))
}
