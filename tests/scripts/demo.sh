#!/usr/bin/env bash
# Mounts a real Docker container and shows what that is good for. demo.sh DIRECTORY_OF_PROGRAMS
# Starts a private dockerd (tests/lab), leaves nothing behind.
set -eu  # no pipefail: what head does not read is nobody's fault

here=$(dirname "$(readlink -f "$0")")
lab=$here/../lab/lab
export PATH="$(readlink -f "$1"):/usr/sbin:/usr/bin:/sbin:/bin"
[ "$(id -u)" = 0 ] || exec sudo --preserve-env=PATH "$0" "$1"

work=$(mktemp -d /var/tmp/mirrorfs-demo.XXXXXX)
web=$work/web
export XDG_STATE_HOME="$work/state"  # private layers

clean_up() {
  local result=$?
  cd /
  if [ -d "$web" ] && mountpoint -q "$web"; then mirrorfs umount --force "$web" || umount -l "$web" || true; fi
  [ ! -d "$work/lab" ] || "$lab" down "$work/lab" || true
  rm -rf --one-file-system "$work"
  [ $result = 0 ] || printf '\nThe demo failed (%s); everything it started has been ended.\n' "$result" >&2
}
trap clean_up EXIT
trap 'exit 130' INT TERM

bold() { if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi; }
show() { printf '$ %s\n' "$*"; eval "$*"; }
# A command that must be refused.
show_refused() {
  printf '$ %s\n' "$*"
  if eval "$*" 2>&1; then echo "that should have been refused" >&2; return 1; fi
}

bold "A container, started by a Docker of its own (about ten seconds)"
cd "$work"
"$lab" up "$work/lab" docker >"$work/lab.log" 2>&1 || { cat "$work/lab.log" >&2; exit 1; }
export DOCKER_HOST
DOCKER_HOST=$("$lab" env "$work/lab" | sed -n 's/^DOCKER_HOST=//p')
mkdir web
show "docker ps --format 'table {{.Names}}\t{{.Image}}\t{{.Status}}'"

bold "Its whole root, mounted here. Read-only, unless you say otherwise"
show "mirrorfs mount docker/web web"
show "ls -al web"
show "cat web/etc/os-release"
show "stat --format '%A %U:%G %s bytes, modified %y' web/etc/shadow"
show_refused "touch web/etc/new"

bold "An absolute link leads to the container's file, not to this machine's"
show "docker exec web readlink /etc/alternatives/release"
show "readlink web/etc/alternatives/release"
show "head -1 web/etc/alternatives/release"
show "head -1 /etc/os-release"

bold "Ordinary programs read it, and programs that lie in it run"
show "grep -rl 'from the first layer' web/lower | head -3"
show "find web/lower -type f | wc -l"
show "tar -C web -cf - etc | tar -tf - | head -4"
show "web/bin/busybox uname -s"
show "mirrorfs umount web"

bold "With --rw they write, too: git, SQLite and Python at work in the container"
show "mirrorfs mount --rw docker/web web"
show "git init -q web/srv/shop && cd web/srv/shop"
show "printf 'print(\"hello from\", __file__.split(\"/web/\")[1])\n' > hello.py && python3 hello.py"
show "git add hello.py && git -c user.name=you -c user.email=you@example.com commit -q -m 'say hello' && git log --oneline --stat | tail -2"
show "sqlite3 shop.db 'create table fruit(name, price); insert into fruit values (\"apple\", 3), (\"pear\", 4);'"
show "sqlite3 shop.db 'select count(*), sum(price) from fruit;'"
show "cd ../../.."

bold "The container sees what was written, and the mount what the container writes"
show "docker exec web ls -l /srv/shop"
show "docker exec web sh -c 'echo written in the container > /srv/note'"
show "cat web/srv/note"

bold "What it took"
show "mirrorfs status"
show "mirrorfs stats web | head -14"

bold "A program of this machine, run on the container's files. What it writes is kept apart"
show "mirrorfs exec --target docker/web -- python3 -c 'print(open(\"/srv/note\").read(), end=\"\")'"
show "mirrorfs exec --target docker/web --layer mine -- sh -c 'echo changed > /srv/note; cat /srv/note'"
show "docker exec web cat /srv/note"
show "mirrorfs diff mine"
show "mirrorfs apply mine"
show "docker exec web cat /srv/note"

bold "Unless somebody else has changed it meanwhile"
show "mirrorfs exec --target docker/web --layer mine -- sh -c 'echo changed again > /srv/note'"
show "docker exec web sh -c 'echo changed there, too > /srv/note'"
show_refused "mirrorfs apply mine"
show "mirrorfs discard mine"

bold "And away"
show "mirrorfs umount web"
show "ls -A web | wc -l"
