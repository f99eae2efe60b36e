#!/usr/bin/env bash
# Format of all sources, clang-tidy on the changed ones. check.sh BUILD_DIR
# CHECK_BASE: what "changed" is relative to (default: where this branch left its upstream, else the last commit).
# CHECK_ALL=1: clang-tidy on everything; several minutes, since a file that includes gRPC takes 12 s.
set -euo pipefail

build_dir=$1
cd "$(git -C "$(dirname "$(readlink -f "$0")")" rev-parse --show-toplevel)"

sources() { git ls-files --cached --others --exclude-standard -- '*.cc' '*.h' | while read -r file; do [ ! -e "$file" ] || echo "$file"; done; }

base() {
  [ -z "${CHECK_BASE:-}" ] || { echo "$CHECK_BASE"; return; }
  git merge-base HEAD '@{upstream}' 2>/dev/null || git rev-parse -q --verify HEAD~1 || git hash-object -t tree /dev/null
}

changed() {
  if [ -n "${CHECK_ALL:-}" ]; then sources; return; fi
  { git diff --name-only --diff-filter=d "$(base)" -- '*.cc' '*.h'; git ls-files --others --exclude-standard -- '*.cc' '*.h'; } | sort -u
}

# Only what is compiled here has a command line to check it with; headers are checked through the files that include them.
in_build() { grep -Fxf <(sed -n 's/^ *"file": "\(.*\)",\?$/\1/p' "$build_dir/compile_commands.json" | sed "s|^$PWD/||") || true; }

echo "clang-format: $(sources | wc -l) files"
sources | xargs -r clang-format --dry-run -Werror

mapfile -t files < <(changed | in_build)
echo "clang-tidy: ${#files[@]} changed files"
[ ${#files[@]} -eq 0 ] || printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$build_dir" --warnings-as-errors='*'
