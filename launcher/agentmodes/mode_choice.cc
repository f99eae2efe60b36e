#include "launcher/agentmodes/mode_choice.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod.h"
#include "launcher/agentmodes/caller_token.h"
#include "launcher/agentmodes/manifests.h"
#include "launcher/agentmodes/rights.h"
#include "launcher/agentmodes/shared_install.h"
#include "launcher/failure.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Words = std::vector<std::string>;
using Modes = std::vector<AgentMode>;

// docs/security.md has the same tables. Of kForwardRight and kExecRight one is needed, too.
constexpr std::array kJobRights = {Right{"create", "jobs.batch"}, Right{"delete", "jobs.batch"}, Right{"list", "pods"},
                                   Right{"get", "pods/log"}};
constexpr std::array kEphemeralRights = {Right{"update", "pods/ephemeralcontainers"}, Right{"get", "pods"},
                                         Right{"get", "pods/log"}};
constexpr std::array kSharedRights = {Right{"list", "pods"}, kForwardRight};  // where the agents are
constexpr std::array kExecRights = {Right{"get", "pods"}, kExecRight};

absl::Status Forbidden(AgentMode mode, const Kubectl& kubectl, std::string_view rights) {
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("{} is forbidden ({} {})", ToWord(mode), rights, kubectl.WhereText()));
}

absl::Status NeedAll(const Kubectl& kubectl, AgentMode mode, absl::Span<const Right> rights) {
  for (const Right& right : rights) {
    if (!Can(kubectl, right)) return Forbidden(mode, kubectl, ToText(right));
  }
  return absl::OkStatus();
}

absl::Status NeedCarrier(const Kubectl& kubectl, AgentMode mode) {
  if (Can(kubectl, kForwardRight) || Can(kubectl, kExecRight)) return absl::OkStatus();
  return Forbidden(mode, kubectl, fmt::format("{} or {}", ToText(kForwardRight), ToText(kExecRight)));
}

absl::Status Refused(AgentMode mode, const absl::Status& why) {
  return Failure(ExitCodeOf(why), fmt::format("{} is refused: {}", ToWord(mode), MessageOf(why)));
}

// PodSecurity refuses a job's pods, and of the job itself only warns: so warnings count.
absl::Status TryJob(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  const absl::Status tried =
      kubectl
          .Run(Words{"create", "--dry-run=server", "--warnings-as-errors", "-f", "-"}, JobManifest(spec, task).dump())
          .status();
  return tried.ok() ? tried : Refused(AgentMode::kJob, tried);
}

absl::Status TryEphemeral(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  const absl::Status tried = AddEphemeralContainer(kubectl, spec, task, /*dry_run=*/true);
  return tried.ok() ? tried : Refused(AgentMode::kEphemeral, tried);
}

absl::Status Unfit(AgentMode mode, std::string_view why) {
  return Failure(ExitCode::kNotPermitted, fmt::format("{} {}", ToWord(mode), why));
}

// What the agent will ask once more of the cluster is asked first, so that another mode can be chosen.
absl::Status MayUseShared(const Kubectl& at_target, const SharedInstall& install, const AgentPodTask& task) {
  const AgentMode mode = AgentMode::kShared;
  if (task.identities != "container") return Unfit(mode, "acts as the container's user only");
  if (task.devices) return Unfit(mode, "makes no device nodes");
  if (const auto token = FindCallerToken(at_target); !token.ok()) return Refused(mode, token.status());
  if (!Can(at_target, kExecRight)) return Forbidden(mode, at_target, ToText(kExecRight));
  const Kubectl at_agent = at_target.In(install.name_space);
  RETURN_IF_ERROR(NeedAll(at_agent, mode, kSharedRights));
  const absl::Status pod = FindSharedPod(at_agent, install, task.target.node).status();
  return pod.ok() ? pod : Refused(mode, pod);
}

// Not if there are none, or not for this user: that is the usual case.
std::optional<absl::Status> TryShared(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  if (task.target.pod.empty()) return std::nullopt;
  const absl::StatusOr<SharedInstall> install = FindSharedInstall(kubectl, spec.name_space);
  if (!install.ok()) return std::nullopt;
  return MayUseShared(kubectl.In(task.target.name_space), *install, task);
}

ModeChoice Chosen(AgentMode mode, const Words& reasons) {
  std::string said = ToWord(mode);
  said += reasons.empty() ? " (permitted)" : fmt::format(": {}", absl::StrJoin(reasons, "; "));
  return ModeChoice{.mode = mode, .said = std::move(said)};
}

}  // namespace

absl::Status MayUseMode(const Kubectl& kubectl, AgentMode mode, const AgentPodSpec& spec, const AgentPodTask& task) {
  const Kubectl at_target = kubectl.In(task.target.name_space);
  if (mode == AgentMode::kExec) return NeedAll(at_target, mode, kExecRights);
  if (mode == AgentMode::kShared) {
    ASSIGN_OR_RETURN(const SharedInstall install, FindSharedInstall(kubectl, spec.name_space));
    return MayUseShared(at_target, install, task);
  }
  if (mode == AgentMode::kEphemeral) {
    RETURN_IF_ERROR(NeedAll(at_target, mode, kEphemeralRights));
    RETURN_IF_ERROR(NeedCarrier(at_target, mode));
    return TryEphemeral(at_target, spec, task);
  }
  const Kubectl at_job = at_target.In(spec.name_space);
  RETURN_IF_ERROR(NeedAll(at_job, mode, kJobRights));
  RETURN_IF_ERROR(NeedCarrier(at_job, mode));
  return TryJob(at_job, spec, task);
}

absl::StatusOr<ModeChoice> ChooseMode(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task) {
  Words reasons;
  if (const std::optional<absl::Status> shared = TryShared(kubectl, spec, task)) {
    if (shared->ok()) return ModeChoice{.mode = AgentMode::kShared, .said = "shared (installed and permitted)"};
    reasons.push_back(MessageOf(*shared));
  }
  Modes modes = {AgentMode::kJob, AgentMode::kEphemeral, AgentMode::kExec};
  if (task.target.pod.empty()) {  // of a node itself there is no pod to be beside, or in
    modes = {AgentMode::kJob};
  } else if (!spec.image_is_named) {
    modes = {AgentMode::kExec};
    reasons.push_back("job and ephemeral need an image of the agent, and none is named (--agent-image)");
  }
  for (const AgentMode mode : modes) {
    const absl::Status may = MayUseMode(kubectl, mode, spec, task);
    if (may.ok()) return Chosen(mode, reasons);
    reasons.push_back(MessageOf(may));
  }
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("no agent may be had for {}: {}. docs/security.md has the roles that each mode needs.",
                             task.target.said, absl::StrJoin(reasons, "; ")));
}

}  // namespace mirrorfs
