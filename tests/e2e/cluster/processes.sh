# Sourced by all parts: messages, and processes that are remembered, found again and ended.

say() { printf 'cluster: %6.1f s  %s\n' "$(elapsed)" "$*" >&2; }
elapsed() { awk "BEGIN { print $EPOCHREALTIME - $BEGUN }"; }
fail() { echo "cluster: $*" >&2; return 1; }

need() {
  local program
  for program; do
    command -v "$program" > /dev/null || fail "$program is missing: tests/scripts/install-packages.sh cluster"
  done
}

wait_for() { # seconds what command...
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "$what: not within the time; logs are in $D/log"
    sleep 0.1
  done
}

# A pid file holds "PID START": a number that was given to another process is never taken for ours.
start_of() {
  local stat
  stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 0
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" = Z ] || echo "${20}"
}

remember() { # name pid
  echo "$2 $(start_of "$2")" > "$D/pid/$1"
}

started() { # name -> its process id, if it still runs
  local pid start
  [ -f "$D/pid/$1" ] || return 1
  read -r pid start < "$D/pid/$1" || return 1
  [ -n "$start" ] && [ "$(start_of "$pid")" = "$start" ] && echo "$pid"
}

in_machine() { # machine command...
  local pid
  pid=$(started "$1.init") || fail "$1 does not run" || return
  shift
  nsenter -t "$pid" -m -p -n -u -i -C --wd=/ -- "$@"
}

# Starts a program in a machine, unless it runs already. Its process id is that outside.
run() { # machine name command...
  local machine=$1 name=$2 inside child=
  shift 2
  if started "$machine.$name" > /dev/null; then return; fi
  inside=$(started "$machine.init") || fail "$machine has ended; see $D/log/$machine.machine"
  (join_group "$machine" &&
    exec setsid nsenter -t "$inside" -m -p -n -u -i -C --wd=/ -- "$@" >> "$D/log/$machine.$name" 2>&1 < /dev/null) &
  # nsenter waits, outside, for the one child that it makes inside. (The shell before it has others.)
  for _ in $(seq 1500); do
    if [ "$(cat "/proc/$!/comm" 2> /dev/null)" = nsenter ]; then
      read -r child _ 2> /dev/null < "/proc/$!/task/$!/children" || true
    fi
    [ -z "$child" ] && [ -d "/proc/$!" ] || break
    sleep 0.02
  done
  [ -n "$child" ] && remember "$machine.$name" "$child" && started "$machine.$name" > /dev/null ||
    fail "$name did not start: $(tail -3 "$D/log/$machine.$name")"
  disown   # its end is no news to this shell
}

stop() { # name: kills it and waits for its end
  local pid
  pid=$(started "$1") || return 0
  kill -KILL "$pid" 2> /dev/null || true
  for _ in $(seq 400); do
    started "$1" > /dev/null || return 0
    sleep 0.05
  done
  fail "$1 ($pid) does not end"
}

show_logs() {
  local log
  for log in "$D"/log/*; do
    [ -f "$log" ] && [ -s "$log" ] && { echo "--- $log"; tail -6 "$log"; }
  done
  return 0
}
