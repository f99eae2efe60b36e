#include "launcher/agentmodes/target_state.h"

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/pod.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Kubelets are late, and clocks differ.
constexpr absl::Duration kSlack = absl::Seconds(5);

}  // namespace

absl::Status TargetHasEnded(const PodTarget& target) {
  return Failure(ExitCode::kNoTarget, fmt::format("container {} of pod/{} has ended.", target.container, target.pod));
}

absl::Status JudgeTarget(const nlohmann::json& object, const PodTarget& target, absl::Time now) {
  const Pod pod = PodFromJson(object);
  absl::Time delete_by = absl::InfiniteFuture();
  absl::ParseTime(absl::RFC3339_full, pod.delete_by, &delete_by, nullptr);
  const PodContainer* container = pod.Find(target.container);
  const bool runs = container != nullptr && container->id == target.container_id && container->IsRunning();
  return runs && now < delete_by + kSlack ? absl::OkStatus() : TargetHasEnded(target);
}

absl::Status CheckTarget(const Kubectl& kubectl, const PodTarget& target, absl::Duration limit) {
  ASSIGN_OR_RETURN(const nlohmann::json pod, GetJson(kubectl, {"pod", target.pod}, limit));
  return JudgeTarget(pod, target, absl::Now());
}

}  // namespace mirrorfs
