#!/bin/bash
# chart_tools.sh: prints the directory that holds `helm` and `kubeconform`, after building them if this has not been
# done yet. The versions are fixed; the Go module proxy checks that they are what they were.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
D='' && . "$HERE/settings.sh"

HELM=helm.sh/helm/v3/cmd/helm@v3.18.6
KUBECONFORM=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0

export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=
place=$CACHE/chart-tools-$(printf '%s\n' "$HELM" "$KUBECONFORM" | sha256sum | cut -c1-16)
mkdir -p "$CACHE"
exec 9> "$CACHE/chart-tools.lock"
flock 9
if [ ! -x "$place/kubeconform" ]; then
  go=$("$HERE/find_go.sh")
  echo "chart tools: building helm and kubeconform with $("$go" env GOVERSION): once, some minutes; kept in $place" >&2
  rm -rf "$place.part"
  for module in "$HELM" "$KUBECONFORM"; do
    (cd / && GOBIN=$place.part "$go" install -trimpath -ldflags '-s -w' "$module" >&2)
  done
  mv "$place.part" "$place"
fi
touch "$place"
find "$CACHE" -maxdepth 1 -name 'chart-tools-*' -mtime +30 -exec rm -rf {} +
echo "$place"
