// Which environment a program gets: this process's own, and, with --env, the target's over it.
#ifndef MIRRORFS_LAUNCHER_PLAN_ENVIRONMENT_CHOICE_H_
#define MIRRORFS_LAUNCHER_PLAN_ENVIRONMENT_CHOICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace mirrorfs {

// Patterns of names: * stands for any characters, ? for one; upper and lower case differ.
struct EnvironmentChoice {
  std::vector<std::string> include;    // names to take over from the target; empty: none
  std::vector<std::string> exclude;    // but not these
  std::vector<std::string> overrides;  // NAME=VALUE, set in any case
  std::vector<std::string> unset;      // names that the program does not get

  bool TakesFromTarget() const { return !include.empty(); }

  bool operator==(const EnvironmentChoice&) const = default;
};

// Names that are about the machine or the terminal a program runs on: they are taken over only if an include pattern
// names them without a wildcard.
absl::Span<const std::string_view> NamesOfThisMachine();

// Variables of `own` keep their order; those of the target replace or follow them. An entry without a name is dropped.
std::vector<std::string> ChooseEnvironment(const EnvironmentChoice& choice, absl::Span<const std::string> own,
                                           absl::Span<const std::string> target);

// `pattern` matches the whole of `name`.
bool MatchesName(std::string_view pattern, std::string_view name);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_ENVIRONMENT_CHOICE_H_
