// Why a path lives where it lives, in words.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_EXPLANATION_H_
#define MIRRORFS_LAUNCHER_COMMANDS_EXPLANATION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "protos/policy/path_policy.h"

namespace mirrorfs {

struct Explanation {
  std::string path;     // absolute, as a program names it
  std::string meant;    // what mappings make of it; mostly the same
  std::string mapping;  // "PATTERN -> PATH (ORIGIN)"; empty: none applies
  PathDecision decision;
  std::string why;            // which rule, or that the mode decides
  std::string write;          // what a write would do
  bool if_no_volume = false;  // a volume of the target at this place would change the answer, and they are not known
};

enum class Volumes : uint8_t { kKnown, kUnknown };  // whether the policy has the target's

// `absolute_path`: clean, links resolved. Decided by the same code as the view decides by. The decision's rule lives as
// long as the policy.
Explanation Explain(const PathPolicy& policy, std::string_view absolute_path, Volumes volumes);

// Several lines.
std::string ExplanationText(const Explanation& explanation);

nlohmann::ordered_json ExplanationJson(const Explanation& explanation);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_EXPLANATION_H_
