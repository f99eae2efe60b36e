# Sourced by session.sh: the two runs of the suite.

# run_cases NAME COMMAND... -- OPTIONS...: compares the mounts of mount_subject and mount_reference.
run_cases() {
  local name=$1 pid_variable=PID_$1 run=()
  shift
  while [ "$1" != -- ]; do run+=("$1"); shift; done
  shift
  "${run[@]}" "$BIN/mirrorfs-conformance" --subject "$D/$name/rw/$name" --reference "$D/$name/reference/all/$name" \
    --subject-ro "$D/$name/ro/$name" --reference-ro "$D/$name/reference/ro/$name" \
    --subject-inside "/proc/${!pid_variable}/root/$name" --filter "$filter" "${extra[@]}" "$@"
}

run_as_root() {
  echo "== as root: mirrorfs mount --rw $ROOT_OPTIONS"
  mount_reference root_case "$PID_root_case" &&
    mount_subject root_case -- "$ROOT_OPTIONS" &&
    run_cases root_case --
}

run_as_user() {
  local user=(env "XDG_RUNTIME_DIR=$D/user_case/run" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups)
  echo "== as the user $USER_ID: mirrorfs mount --rw $USER_OPTIONS"
  mount_reference user_case "$PID_user_case" &&
    mount_subject user_case "${user[@]}" -- "$USER_OPTIONS" &&
    run_cases user_case "${user[@]}" -- --as-user
}
