#!/bin/bash
# find_go.sh: prints the path of a Go that can build the cluster's programs (GO=path to choose one).
#
# Debian 12's own is too old for them, but able to fetch a newer one: the module proxy serves toolchains as modules.
set -euo pipefail

NEEDED=1.24
FETCHED=1.24.13

is_new_enough() { # program
  local version
  version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2> /dev/null) || return 1
  [ "$(printf '%s\n' "$NEEDED" "${version#go}" | sort -V | head -1)" = "$NEEDED" ]
}

candidates() {
  echo "${GO:-}"
  type -ap go || true
  echo /usr/local/go/bin/go
}

first_candidate() {
  local go
  for go in $(candidates); do if [ -x "$go" ]; then echo "$go"; return; fi; done
  echo "find_go.sh: no Go at all: tests/scripts/install-packages.sh cluster" >&2
  return 1
}

fetch() { # with the program
  local platform module place
  platform=$("$1" env GOOS)-$("$1" env GOARCH)
  module=golang.org/toolchain@v0.0.1-go$FETCHED.$platform
  echo "find_go.sh: fetching Go $FETCHED (70 MB, once), since $("$1" env GOVERSION) is too old" >&2
  place=$(cd / && GOFLAGS=-mod=mod "$1" mod download -json "$module" | sed -nE 's/^\s*"Dir": "(.*)",?$/\1/p')
  # A module's files have no execute bits; `go` sets them where it fetches a toolchain by itself, as newer ones do.
  chmod -R u+x "$place/bin" "$place/pkg/tool"
  echo "$place/bin/go"
}

for go in $(candidates); do
  if [ -x "$go" ] && is_new_enough "$go"; then
    echo "$go"
    exit
  fi
done
fetch "$(first_candidate)"
