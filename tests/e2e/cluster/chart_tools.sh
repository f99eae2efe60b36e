#!/bin/bash
# chart_tools.sh: prints the directory that holds `helm`, after building it if this has not been done yet. The version is
# fixed; Go checks that it is what it was.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
D='' && . "$HERE/settings.sh"

HELM=helm.sh/helm/v3/cmd/helm@v3.18.6

export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=
place=$CACHE/chart-tools-$(echo "$HELM" | sha256sum | cut -c1-16)
mkdir -p "$CACHE"
exec 9> "$CACHE/chart-tools.lock"
flock 9
if [ ! -x "$place/helm" ]; then
  go=$("$HERE/find_go.sh")
  echo "chart tools: building helm with $("$go" env GOVERSION): once, some minutes; kept in $place" >&2
  rm -rf "$place.part"
  (cd / && GOBIN=$place.part "$go" install -trimpath -ldflags '-s -w' "$HELM" >&2)
  mv "$place.part" "$place"
fi
touch "$place"
find "$CACHE" -maxdepth 1 -name 'chart-tools-*' -mtime +30 -exec rm -rf {} +
echo "$place"
