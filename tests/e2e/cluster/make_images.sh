#!/bin/bash
# make_images.sh: prints the directory of the images' archives, after making them if that has not been done yet. From
# Debian's packages, without any registry:
#   mirrorfs-test/pause:1       sandboxes
#   mirrorfs-test/busybox:1     busybox, and the files of every kind that the lab's containers have
#   mirrorfs-test/python:1      the same below Debian's python3
#   mirrorfs-test/py-serv:1     python with the program of docs/sample, which serves on port 80
#   mirrorfs-test/distroless:1  one static program, no shell, a few files
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
D='' && . "$HERE/settings.sh"

PACK=$ROOT/agent/image/pack_image.py
LAYERS=$ROOT/tests/lab/make_layers.py

SAMPLE=$ROOT/docs/sample

sources() { cat "$HERE/make_images.sh" "$HERE/pause.c" "$PACK" "$LAYERS" "$SAMPLE"/{app.py,greeting.txt} "$(command -v busybox)"; }

pack() { # name, arguments
  local name=$1
  shift
  /usr/bin/python3 "$PACK" --name "mirrorfs-test/$name:1" --output "$work/$name.tar" "$@"
}

# Debian 12's python3 with what it links, unpacked and nothing more: no maintainer scripts, no package manager.
PYTHON_PACKAGES="python3 python3-minimal python3.11 python3.11-minimal libpython3-stdlib libpython3.11-minimal
  libpython3.11-stdlib libc6 libgcc-s1 zlib1g libexpat1 libbz2-1.0 libffi8 liblzma5 libncursesw6 libtinfo6 libreadline8
  readline-common libsqlite3-0 libssl3 libuuid1 libcrypt1 libdb5.3 libnsl2 libtirpc3 libgssapi-krb5-2 libkrb5-3
  libk5crypto3 libkrb5support0 libcom-err2 libkeyutils1 media-types"

python_layer() {
  mkdir "$work/debs" "$work/root"
  # shellcheck disable=SC2086
  (cd "$work/debs" && chmod 0777 . && apt-get download -q $PYTHON_PACKAGES > "$work/download.log" 2>&1) || {
    cat "$work/download.log" >&2
    return 1
  }
  for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  rm -rf "$work/root/usr/share/"{doc,man,locale,lintian}
  tar -C "$work/root" --sort=name --mtime=@1600000000 -cf "$work/python_layer" .
}

make_all() {
  mkdir "$work/layers"
  gcc -Os -static -s -o "$work/pause" "$HERE/pause.c"
  pack pause --file "$work/pause=/pause" --entrypoint /pause
  /usr/bin/python3 "$LAYERS" "$(command -v busybox)" "$work/layers"
  pack busybox --layer "$work/layers/layer1.tar" --layer "$work/layers/layer2.tar" --command /keep-running
  python_layer
  pack python --layer "$work/layers/layer1.tar" --layer "$work/python_layer" --command /keep-running
  mkdir -p "$work/sample"/{app,var/log}
  install -m 0755 "$SAMPLE/app.py" "$work/sample/app/"
  install -m 0644 "$SAMPLE/greeting.txt" "$work/sample/app/"
  tar -C "$work/sample" --sort=name --mtime=@1600000000 --owner=0 --group=0 -cf "$work/sample_layer" .
  pack py-serv --layer "$work/layers/layer1.tar" --layer "$work/python_layer" --layer "$work/sample_layer" --entrypoint /app/app.py
  echo 'app:x:1000:1000:app:/:/none' > "$work/passwd"
  echo 'kept in an image without a shell' > "$work/data"
  pack distroless --file "$work/pause=/app" --file "$work/passwd=/etc/passwd" --file "$work/data=/srv/data" --entrypoint /app
  rm -rf "$work"/{debs,root,layers,sample,sample_layer,python_layer,passwd,data,download.log}
}

place=$CACHE/cluster-images-$(sources | sha256sum | cut -c1-16)
mkdir -p "$CACHE"
exec 9> "$CACHE/images.lock"
flock 9
if [ ! -d "$place" ]; then
  work=$place.part
  rm -rf "$work"
  mkdir "$work"
  echo "cluster: making images (once, then kept in $place)" >&2
  make_all
  mv "$work" "$place"
fi
touch "$place"
find "$CACHE" -maxdepth 1 -name 'cluster-images-*' -mtime +30 -exec rm -rf {} +
echo "$place"
