#!/bin/bash
# build_programs.sh: prints the directory that holds `hyper` (kube-apiserver, kube-controller-manager, kube-scheduler and
# kubelet in one) and `kubectl`, after building them if this has not been done yet.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
D='' && . "$HERE/settings.sh"

sources() { cat "$HERE"/hyper/{go.mod,go.sum,main.go,kubectl/main.go} "$HERE/build_programs.sh"; }

version() { sed -nE 's/^.*k8s\.io\/kubernetes v([0-9.]+)$/\1/p' "$HERE/hyper/go.mod" | head -1; }

linker_flags() {
  local package=k8s.io/component-base/version major minor
  IFS=. read -r major minor _ <<< "$(version)"
  echo "-s -w -X $package.gitVersion=v$(version) -X $package.gitMajor=$major -X $package.gitMinor=$minor" \
    "-X $package.gitTreeState=clean -X $package.buildDate=1970-01-01T00:00:00Z"
}

build() { # directory
  local go begun=$SECONDS
  go=$("$HERE/find_go.sh")
  echo "cluster: building Kubernetes $(version) with $("$go" env GOVERSION): once, 6 to 10 minutes on two cores;" \
    "kept in $place" >&2
  mkdir -p "$1"
  cd "$HERE/hyper"
  "$go" build -v -mod=readonly -buildvcs=false -trimpath -ldflags "$(linker_flags)" -o "$1/" . ./kubectl 2>&1 | progress >&2
  mv "$1/mirrorfs-test-cluster" "$1/hyper"
  echo "cluster: built in $((SECONDS - begun)) s" >&2
}

# `go build -v` names each package that it compiles; anything else is an error.
progress() {
  awk '
    /^[^ :]+$/ { if (++count % 250 == 0) { print "cluster: " count " packages compiled"; fflush() } next }
    !/^go: downloading/ { print; fflush() }'
}

export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=
place=$CACHE/cluster-programs-$(sources | sha256sum | cut -c1-16)
mkdir -p "$CACHE"
exec 9> "$CACHE/build.lock"
flock 9
if [ ! -x "$place/hyper" ]; then
  rm -rf "$place.part"
  build "$place.part"
  mv "$place.part" "$place"
fi
touch "$place"
# What has not been used for a month is of another time.
find "$CACHE" -maxdepth 1 -name 'cluster-programs-*' -mtime +30 -exec rm -rf {} +
echo "$place"
