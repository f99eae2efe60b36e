#include "launcher/agentmodes/mode_choice.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "fmt/format.h"
#include "launcher/agentmodes/manifests.h"
#include "launcher/agentmodes/rights.h"
#include "launcher/failure.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Words = std::vector<std::string>;
using Modes = std::vector<PodMode>;

// docs/security.md has the same tables. Of pods/portforward and pods/exec one is needed, too: see CarrierRight.
constexpr std::array kJobRights = {Right{"create", "jobs.batch"}, Right{"delete", "jobs.batch"}, Right{"list", "pods"},
                                   Right{"get", "pods/log"}};
constexpr std::array kEphemeralRights = {Right{"update", "pods/ephemeralcontainers"}, Right{"get", "pods"},
                                         Right{"get", "pods/log"}};
constexpr std::array kExecRights = {Right{"get", "pods"}, Right{"create", "pods/exec"}};
constexpr std::array kCarrierRights = {Right{"create", "pods/portforward"}, Right{"create", "pods/exec"}};

absl::Status Forbidden(PodMode mode, const Kubectl& kubectl, std::string_view rights) {
  const std::string& name_space = kubectl.access().name_space;
  return Failure(ExitCode::kNotPermitted, fmt::format("{} is forbidden ({}{})", ToWord(mode), rights,
                                                      name_space.empty() ? "" : " in namespace " + name_space));
}

absl::Status NeedAll(const Kubectl& kubectl, PodMode mode, absl::Span<const Right> rights) {
  for (const Right& right : rights) {
    if (!Can(kubectl, right)) return Forbidden(mode, kubectl, ToText(right));
  }
  return absl::OkStatus();
}

absl::Status NeedCarrier(const Kubectl& kubectl, PodMode mode) {
  for (const Right& right : kCarrierRights) {
    if (Can(kubectl, right)) return absl::OkStatus();
  }
  return Forbidden(mode, kubectl, fmt::format("{} or {}", ToText(kCarrierRights[0]), ToText(kCarrierRights[1])));
}

absl::Status Refused(PodMode mode, const absl::Status& why) {
  return Failure(ExitCodeOf(why), fmt::format("{} is refused: {}", ToWord(mode), MessageOf(why)));
}

// PodSecurity refuses a job's pods, and of the job itself only warns: so warnings count.
absl::Status TryJob(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  const absl::Status tried =
      kubectl
          .Run(Words{"create", "--dry-run=server", "--warnings-as-errors", "-f", "-"}, JobManifest(spec, task).dump())
          .status();
  return tried.ok() ? tried : Refused(PodMode::kJob, tried);
}

absl::Status TryEphemeral(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  const std::string& name = task.target.pod;
  ASSIGN_OR_RETURN(const std::string text, kubectl.Run(Words{"get", "pod", name, "-o", "json"}));
  nlohmann::json pod = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!pod.is_object()) return Failure(ExitCode::kUnreachable, "kubectl's answer is no JSON");
  const nlohmann::json addition = EphemeralContainer(spec, task);
  pod["spec"]["ephemeralContainers"].push_back(addition);
  const std::string place =
      fmt::format("/api/v1/namespaces/{}/pods/{}/ephemeralcontainers?dryRun=All", task.target.name_space, name);
  const absl::Status tried = kubectl.Run(Words{"replace", "--raw", place, "-f", "-"}, pod.dump()).status();
  return tried.ok() ? tried : Refused(PodMode::kEphemeral, tried);
}

Kubectl In(const Kubectl& kubectl, const std::string& name_space) {
  ClusterAccess access = kubectl.access();
  if (!name_space.empty()) access.name_space = name_space;
  return Kubectl(std::move(access));
}

}  // namespace

absl::Status MayUseMode(const Kubectl& kubectl, PodMode mode, const AgentPodSpec& spec, const AgentPodTask& task) {
  const Kubectl at_target = In(kubectl, task.target.name_space);
  if (mode == PodMode::kExec) return NeedAll(at_target, mode, kExecRights);
  if (mode == PodMode::kEphemeral) {
    RETURN_IF_ERROR(NeedAll(at_target, mode, kEphemeralRights));
    RETURN_IF_ERROR(NeedCarrier(at_target, mode));
    return TryEphemeral(at_target, spec, task);
  }
  const Kubectl at_job = In(at_target, spec.name_space);
  RETURN_IF_ERROR(NeedAll(at_job, mode, kJobRights));
  RETURN_IF_ERROR(NeedCarrier(at_job, mode));
  return TryJob(at_job, spec, task);
}

absl::StatusOr<ModeChoice> ChooseMode(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  Words reasons;
  Modes modes = {PodMode::kJob, PodMode::kEphemeral, PodMode::kExec};
  if (task.target.pod.empty()) {  // of a node itself there is no pod to be beside, or in
    modes = {PodMode::kJob};
  } else if (!spec.image_is_named) {
    modes = {PodMode::kExec};
    reasons.push_back("job and ephemeral need an image of the agent, and none is named (--agent-image)");
  }
  for (const PodMode mode : modes) {
    const absl::Status may = MayUseMode(kubectl, mode, spec, task);
    if (may.ok()) {
      std::string said = fmt::format("agent mode {}", ToWord(mode));
      said += reasons.empty() ? " (permitted)" : fmt::format(": {}", absl::StrJoin(reasons, "; "));
      return ModeChoice{.mode = mode, .said = std::move(said)};
    }
    reasons.push_back(MessageOf(may));
  }
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("no agent may be had for {}: {}. docs/security.md has the roles that each mode needs.",
                             task.target.said, absl::StrJoin(reasons, "; ")));
}

}  // namespace mirrorfs
