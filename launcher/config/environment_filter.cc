#include "launcher/config/environment_filter.h"

#include <algorithm>
#include <array>

namespace mirrorfs {
namespace {

// A program of this machine needs this machine's.
constexpr std::array<std::string_view, 27> kOfTheMachine = {
    "PATH",    "HOME",     "USER",       "LOGNAME",   "SHELL",     "PWD",      "OLDPWD",     "SHLVL",      "_",
    "TERM",    "TMPDIR",   "TMP",        "TEMP",      "XDG_*",     "DBUS_*",   "DISPLAY",    "SSH_*",      "LD_*",
    "GLIBC_*", "HOSTNAME", "MIRRORFS_*", "CLASSPATH", "JAVA_HOME", "JAVA_EXE", "PYTHONPATH", "PYTHONHOME", "HOMEPATH"};

bool AnyMatches(const SourcedList& list, std::string_view name) {
  return std::any_of(list.value.begin(), list.value.end(),
                     [&](const ListEntry& entry) { return NameMatches(entry.text, name); });
}

bool Names(const SourcedList& list, std::string_view name) {
  return std::any_of(list.value.begin(), list.value.end(), [&](const ListEntry& entry) { return entry.text == name; });
}

}  // namespace

// Greedy with one point of return: the last star.
bool NameMatches(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t after_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool TakesVariable(const EnvSettings& settings, std::string_view name) {
  if (!AnyMatches(settings.include, name) || AnyMatches(settings.exclude, name)) return false;
  const bool of_the_machine = std::any_of(kOfTheMachine.begin(), kOfTheMachine.end(),
                                          [&](std::string_view pattern) { return NameMatches(pattern, name); });
  return !of_the_machine || Names(settings.include, name);
}

Environment MergedEnvironment(const EnvSettings& settings, Environment own, const Environment& of_target) {
  for (const auto& [name, value] : of_target) {
    if (TakesVariable(settings, name)) own[name] = value;
  }
  for (const auto& [name, value] : settings.set.value) own[name] = value;
  for (const ListEntry& pattern : settings.unset.value) {
    std::erase_if(own, [&](const auto& entry) { return NameMatches(pattern.text, entry.first); });
  }
  return own;
}

}  // namespace mirrorfs
