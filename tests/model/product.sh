#!/bin/sh
# The model checker on a mount that the command itself has made: product.sh DIRECTORY-OF-PROGRAMS [OPTION...]
set -eu
programs=$1
shift
base=$(mktemp -d /tmp/mirrorfs-model-product-XXXXXX)
mkdir "$base/served" "$base/mount" "$base/reference"
finish() {
  "$programs/mirrorfs" umount "$base/mount" || true
  mountpoint -q "$base/mount" || rm -rf "$base"
}
trap finish EXIT
"$programs/mirrorfs" mount --rw "dir:$base/served" "$base/mount"
"$programs/mirrorfs-model" --dir "$base/mount" --reference "$base/reference" "$@"
