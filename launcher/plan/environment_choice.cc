#include "launcher/plan/environment_choice.h"

#include <algorithm>
#include <array>

namespace mirrorfs {
namespace {

constexpr std::array<std::string_view, 34> kNamesOfThisMachine = {
    "PATH",      "HOME",     "USER",   "LOGNAME", "SHELL",      "PWD",        "OLDPWD",   "SHLVL",     "_",
    "TERM",      "TMPDIR",   "TMP",    "TEMP",    "DISPLAY",    "HOSTNAME",   "EDITOR",   "PAGER",     "XDG_*",
    "SSH_*",     "DBUS_*",   "LD_*",   "LC_*",    "LANG",       "LANGUAGE",   "GPG_*",    "WAYLAND_*", "CLASSPATH",
    "JAVA_HOME", "HOMEPATH", "GOPATH", "GOROOT",  "PYTHONPATH", "PYTHONHOME", "NODE_PATH"};

std::string_view NameOf(std::string_view entry) { return entry.substr(0, entry.find('=')); }

template <typename Patterns>
bool MatchesAny(const Patterns& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](std::string_view pattern) { return MatchesName(pattern, name); });
}

bool IsTakenOver(const EnvironmentChoice& choice, std::string_view name) {
  if (name.empty() || MatchesAny(choice.exclude, name)) return false;
  if (std::find(choice.include.begin(), choice.include.end(), name) != choice.include.end()) return true;
  return MatchesAny(choice.include, name) && !MatchesAny(kNamesOfThisMachine, name);
}

void Set(std::vector<std::string>& environment, const std::string& entry) {
  const auto same = std::find_if(environment.begin(), environment.end(),
                                 [&](const std::string& other) { return NameOf(other) == NameOf(entry); });
  if (same != environment.end()) {
    *same = entry;
  } else {
    environment.push_back(entry);
  }
}

}  // namespace

absl::Span<const std::string_view> NamesOfThisMachine() { return kNamesOfThisMachine; }

bool MatchesName(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return MatchesName(pattern.substr(1), name) || (!name.empty() && MatchesName(pattern, name.substr(1)));
  }
  if (name.empty() || (pattern.front() != '?' && pattern.front() != name.front())) return false;
  return MatchesName(pattern.substr(1), name.substr(1));
}

std::vector<std::string> ChooseEnvironment(const EnvironmentChoice& choice, absl::Span<const std::string> own,
                                           absl::Span<const std::string> target) {
  std::vector<std::string> environment(own.begin(), own.end());
  for (const std::string& entry : target) {
    if (IsTakenOver(choice, NameOf(entry))) Set(environment, entry);
  }
  for (const std::string& entry : choice.overrides) Set(environment, entry);
  std::erase_if(environment, [&](const std::string& entry) { return MatchesAny(choice.unset, NameOf(entry)); });
  return environment;
}

}  // namespace mirrorfs
