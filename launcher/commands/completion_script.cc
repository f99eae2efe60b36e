#include "launcher/commands/completion_command.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kBash = R"(# bash completion for mirrorfs
_mirrorfs() {
  local said directive
  COMPREPLY=()
  said=$(mirrorfs __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  directive=${said##*:}
  mapfile -t COMPREPLY < <(printf '%s\n' "${said%:*}" | sed '/^$/d')
  case $directive in
    2 | 6) compopt -o nospace ;;
    16) mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}"); compopt -o filenames ;;
    0) [ ${#COMPREPLY[@]} -gt 0 ] || { mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"); compopt -o filenames; } ;;
  esac
}
complete -F _mirrorfs mirrorfs
)";

constexpr std::string_view kZsh = R"(#compdef mirrorfs
# zsh completion for mirrorfs
_mirrorfs() {
  local said directive
  local -a found
  said=$(mirrorfs __complete "${(@)words[2,CURRENT]}" 2>/dev/null) || return
  directive=${said##*:}
  found=(${(f)${said%:*}})
  case $directive in
    2|6) compadd -S '' -- $found ;;
    16) _files -/ ;;
    0) if (( $#found )); then compadd -- $found; else _files; fi ;;
    *) compadd -- $found ;;
  esac
}
if [ "$funcstack[1]" = "_mirrorfs" ]; then _mirrorfs "$@"; else compdef _mirrorfs mirrorfs; fi
)";

constexpr std::string_view kFish = R"(# fish completion for mirrorfs
function __mirrorfs_complete
  set -l words (commandline -opc)[2..-1] (commandline -ct)
  set -l said (mirrorfs __complete $words 2>/dev/null); or return
  set -l found $said[1..-2]
  switch $said[-1]
    case ':16'
      __fish_complete_directories (commandline -ct)
    case ':0'
      if test (count $found) -gt 0
        string join \n -- $found
      else
        __fish_complete_path (commandline -ct)
      end
    case '*'
      string join \n -- $found
  end
end
complete -c mirrorfs -f -a '(__mirrorfs_complete)'
)";

}  // namespace

std::string_view CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

}  // namespace mirrorfs
