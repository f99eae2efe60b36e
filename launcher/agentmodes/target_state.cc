#include "launcher/agentmodes/target_state.h"

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::Status TargetHasEnded(const PodTarget& target) {
  return Failure(ExitCode::kNoTarget, fmt::format("container {} of pod/{} has ended.", target.container, target.pod));
}

absl::Status CheckTarget(const Kubectl& kubectl, const PodTarget& target) {
  ASSIGN_OR_RETURN(const nlohmann::json pod, GetJson(kubectl, {"pod", target.pod}));
  for (const auto& status : ListAt(pod, {"status", "containerStatuses"})) {
    const bool it_is = TextAt(status, {"containerID"}) == target.container_id;
    if (it_is && FieldAt(status, {"state", "running"}).is_object()) return absl::OkStatus();
  }
  return TargetHasEnded(target);
}

}  // namespace mirrorfs
