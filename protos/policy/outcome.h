// What a list or a mode means for a path.
#ifndef MIRRORFS_PROTOS_POLICY_OUTCOME_H_
#define MIRRORFS_PROTOS_POLICY_OUTCOME_H_

#include <optional>
#include <string_view>

#include "protos/policy/path_policy.h"

namespace mirrorfs {

struct Outcome {
  PathSide side;
  WritesGo writes;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Nothing if there is no such list.
std::optional<Outcome> OutcomeOf(std::string_view list);

Outcome OutcomeOf(FsMode mode);

// The list is one that users fill.
bool IsUserList(std::string_view list);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_POLICY_OUTCOME_H_
