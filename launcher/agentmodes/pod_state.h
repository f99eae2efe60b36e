// How far an agent's pod has come, read out of what the cluster says of it.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_POD_STATE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_POD_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// In the order in which they come.
enum class PodStep : uint8_t { kCreated, kScheduled, kPulling, kStarted, kEnded };

// "created", "scheduled", "pulling", "started", "ended".
const char* ToWord(PodStep step);

struct PodState {
  PodStep step = PodStep::kCreated;
  std::string node;              // empty: none yet
  std::string detail;            // for people: the node, the image
  std::string waits_for;         // why it has come no further, if that is said
  absl::Status failure;          // it will not come any further by itself
  std::optional<int> exit_code;  // kEnded
};

// Of the container of that name in a Pod, ephemeral or not.
PodState JudgePod(const nlohmann::json& pod, std::string_view container);

// Of a List of Events: what makes that no pod comes, or no container in it. OK if they tell no such thing.
absl::Status JudgeEvents(const nlohmann::json& events);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_POD_STATE_H_
