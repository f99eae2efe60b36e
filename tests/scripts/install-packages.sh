#!/usr/bin/env bash
# Installs the Debian packages of the named groups (packages.txt): install-packages.sh [build|test|check|bench|demo|cluster]...
# Without groups: build and test. Quick when all is there; needs root or sudo only when something is missing.
set -euo pipefail

list="$(dirname "$(readlink -f "$0")")/packages.txt"
groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(build test)

wanted() {
  local group
  for group in "${groups[@]}"; do
    awk -v group="$group" '$1 == group { print $2; found = 1 } END { exit !found }' "$list" || {
      echo "install-packages.sh: no group \"$group\" in $list" >&2
      exit 2
    }
  done | sort -u
}

missing() {
  local installed
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }' | sort -u)
  comm -23 <(wanted) <(echo "$installed")
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Services of the packages (dockerd, sshd, containerd) are not started by installing them: tests and benchmarks
# run private ones of their own.
install() {
  local guard=/usr/sbin/policy-rc.d made_guard=no
  if [ ! -e $guard ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $guard >/dev/null
    as_root chmod 755 $guard
    made_guard=yes
  fi
  local result=0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null || result=$?
  [ $made_guard = no ] || as_root rm -f $guard
  return $result
}

wanted >/dev/null
mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0
echo "Installing: ${packages[*]}"
as_root apt-get update -q </dev/null
install "${packages[@]}"
