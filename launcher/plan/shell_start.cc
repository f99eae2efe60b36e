#include "launcher/plan/shell_start.h"

#include <algorithm>
#include <cctype>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

// What has a meaning in a prompt or a string of a shell does not belong there.
std::string Harmless(std::string_view text) {
  std::string result(text);
  constexpr std::string_view kPlain = "/:._-@+,";
  std::replace_if(
      result.begin(), result.end(),
      [&](unsigned char c) { return !std::isalnum(c) && kPlain.find(static_cast<char>(c)) == kPlain.npos; }, '?');
  return result;
}

}  // namespace

ShellStart StartOfShell(const std::string& shell, std::string_view target, const std::string& start_file_path) {
  const std::string tag = fmt::format("({}) ", Harmless(target));
  const std::string name = shell.substr(shell.rfind('/') + 1);
  if (name == "bash") {
    return {.command = {shell, "--rcfile", start_file_path},
            .variables = {},
            .start_file = fmt::format("if [ -r ~/.bashrc ]; then . ~/.bashrc; fi\nPS1=\"{}$PS1\"\n", tag)};
  }
  return {.command = {shell}, .variables = {fmt::format("PS1={}$ ", tag)}, .start_file = {}};
}

}  // namespace mirrorfs
