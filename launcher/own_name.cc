#include "launcher/own_name.h"

#include <cctype>
#include <cerrno>

namespace mirrorfs {
namespace {

constexpr std::string_view kName = "mirrorfs";

// A command follows: "mirrorfs mount", "mirrorfs [OPTIONS]". Not "mirrorfs mounts ...", a sentence.
bool IsFollowedByCommand(std::string_view rest) {
  constexpr std::string_view kVerbs[] = {"mount",   "exec",   "shell",  "status",    "stats", "umount",
                                         "explain", "config", "layers", "diff",      "apply", "discard",
                                         "version", "help",   "ls",     "completion"};
  for (const std::string_view verb : kVerbs) {
    if (!rest.starts_with(verb)) continue;
    const unsigned char next = rest.size() > verb.size() ? rest[verb.size()] : ' ';
    if (std::isalnum(next) == 0) return true;
  }
  return false;
}

}  // namespace

std::string OwnName() { return program_invocation_short_name == kPluginName ? "kubectl mirrorfs" : std::string(kName); }

std::string SpeltFor(std::string_view own, std::string text) {
  if (own == kName) return text;
  size_t from = 0;
  while ((from = text.find(kName, from)) != text.npos) {
    const size_t end = from + kName.size();
    const bool begins = from == 0 || std::isspace(static_cast<unsigned char>(text[from - 1])) != 0 ||
                        text[from - 1] == '\'' || text[from - 1] == '(';
    if (begins && text.compare(end, 1, " ") == 0 && IsFollowedByCommand(std::string_view(text).substr(end + 1))) {
      text.replace(from, kName.size(), own);
      from += own.size();
    } else {
      from = end;
    }
  }
  return text;
}

std::string InOwnName(std::string text) { return SpeltFor(OwnName(), std::move(text)); }

}  // namespace mirrorfs
