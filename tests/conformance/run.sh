#!/bin/bash
# The conformance suite on real containers: run.sh [options] BUILD/bin
#
# Starts two docker containers (tests/lab) whose image holds the cases' lower files, one of root and one of an ordinary
# user; mounts each with mirrorfs, mounts the same layers natively beside it, and runs every case on both. Needs root.
#
#   --only root|user    one of the two runs
#   --filter GLOB       only these cases
#   --table             print which results of which calls were compared
#   --failed-names      print only the names of failed cases
#
# Everything happens below one directory and in a mount namespace of its own; nothing of it stays, whatever happens.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

usage() { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 2; }

only=both filter='*' extra=()
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=$2; shift 2 ;;
    --filter) filter=$2; shift 2 ;;
    --table | --failed-names) extra+=("$1"); shift ;;
    -*) usage ;;
    *) break ;;
  esac
done
[ $# = 1 ] || usage
BIN=$(realpath "$1")
[ "$(id -u)" = 0 ] || { echo "run.sh: needs root" >&2; exit 77; }
if [ -z "${CONFORMANCE_NAMESPACE:-}" ]; then
  CONFORMANCE_NAMESPACE=1 exec unshare --mount --propagation private "$0" --only "$only" --filter "$filter" \
    "${extra[@]}" "$BIN"
fi

. "$HERE/session.sh"
start_lab
start_container root_case
start_container user_case --user "$USER_ID:$USER_ID" --cap-drop ALL

status=0
[ "$only" = user ] || run_as_root || status=1
[ "$only" = root ] || run_as_user || status=1
exit $status
