#!/bin/bash
# Shows that the conformance suite is worth something: run.sh BUILD/bin [FAULT]...
#
# BUILD is a build with planted faults (cmake --preset faults). For each line of faults.txt a real container is mounted
# by a daemon and an agent that have that one fault, and the suite's cases are run on it: at least one must fail. All
# those cases pass without a fault, which is seen to first. Needs root.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "run.sh: needs root" >&2; exit 77; }
BIN=$(realpath "$1")
shift
if [ -z "${FAULTS_NAMESPACE:-}" ]; then
  FAULTS_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$BIN" "$@"
fi
FAULTS=$HERE/faults.txt
HERE=$HERE/../conformance
extra=()
. "$HERE/session.sh"

faults() { awk -v wanted="$*" '!/^#/ && (wanted == "" || index(" " wanted " ", " " $1 " ")) { print $1, $2 }' "$FAULTS"; }

# One mount with a fault (or none), the cases of a filter, and no mount any more. Leaves the names of the cases that failed
# in $D/failing.
try_cases() { # FAULT FILTER
  : > "$D/failing"
  if mount_subject root_case env "MIRRORFS_FAULT=$1" -- "$ROOT_OPTIONS"; then
    filter=$2 run_cases root_case -- --failed-names > "$D/output" || true
    sed '/^[0-9]* cases: /,$d' "$D/output" > "$D/failing"
    grep -q '^[0-9]* cases: ' "$D/output" || { echo "run.sh: the suite did not end" >&2; return 1; }
  fi
  unmount_subjects
}

start_lab
start_container root_case
mount_reference root_case "$PID_root_case"
all=$(faults "$@")
[ -n "$all" ] || { echo "run.sh: no such fault" >&2; exit 2; }
try_cases "" "@($(cut -d' ' -f2 <<< "$all" | sort -u | paste -sd'|'))"
[ ! -s "$D/failing" ] || { echo "these fail without any fault:"; cat "$D/failing"; exit 1; }
echo "without a fault: $(grep '^[0-9]* cases: ' "$D/output")"
total=0 caught=0
while read -r -u 9 fault cases; do
  total=$((total + 1))
  try_cases "$fault" "$cases"
  [ ! -s "$D/failing" ] || caught=$((caught + 1))
  names=$(paste -sd' ' "$D/failing")
  echo "$fault -> ${names:-NOT CAUGHT}"
done 9<<< "$all"
echo "$total faults: $caught caught, $((total - caught)) not"
[ "$caught" = "$total" ]
