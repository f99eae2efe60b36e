#include "agent/target/target.h"

#include <utility>

#include "absl/status/status.h"
#include "agent/target/directory_target.h"
#include "agent/target/ended_target.h"
#include "agent/target/found_container.h"
#include "agent/target/held_process.h"
#include "agent/target/in_child.h"
#include "agent/target/own_target.h"
#include "agent/target/process_target.h"
#include "agent/target/target_name.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

absl::StatusOr<FoundContainer> FindContainer(const TargetName& name, const TargetOptions& options) {
  if (options.pid_from_cgroup) return FindContainerInCgroups(name);
  const std::string& socket = options.runtime_socket;
  switch (name.kind) {
    case TargetKind::kDocker:
      return FindDockerContainer(name, socket);
    case TargetKind::kPodman:
      return FindPodmanContainer(name, socket);
    case TargetKind::kContainerd:
      return FindInChild([&] { return FindContainerdContainer(name, socket); });
    case TargetKind::kCri:
      return FindInChild([&] { return FindCriContainer(name, socket); });
    case TargetKind::kPid:
    case TargetKind::kDirectory:
    case TargetKind::kOwn:
    case TargetKind::kEnded:
      break;
  }
  return absl::InternalError("not a container");
}

// The process that the runtime names, held; FAILED_PRECONDITION also if it turns out to be another container's.
absl::StatusOr<HeldProcess> HoldContainer(const TargetName& name, const TargetOptions& options) {
  ASSIGN_OR_RETURN(const FoundContainer found, FindContainer(name, options));
  ASSIGN_OR_RETURN(HeldProcess process, HeldProcess::Hold(found.pid, found.description));
  ASSIGN_OR_RETURN(const bool proven, process.BelongsTo(found.id));
  if (proven) return process;
  // The number may have come to mean another process before it was held. It has not if the runtime still names it.
  ASSIGN_OR_RETURN(const FoundContainer again, FindContainer(name, options));
  if (again.id == found.id && again.pid == found.pid && process.Alive()) return process;
  return absl::FailedPreconditionError(
      fmt::format("{} was restarted at this very moment; try again", found.description));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Target>> Target::Resolve(const TargetOptions& options) {
  ASSIGN_OR_RETURN(const TargetName name, ParseTargetName(options.target));
  if (name.kind == TargetKind::kDirectory) return DirectoryTarget::Open(name.name);
  if (name.kind == TargetKind::kOwn) return OwnTarget::Open(name.name);
  if (name.kind == TargetKind::kEnded) return std::make_unique<EndedTarget>(name.name);
  if (name.kind == TargetKind::kPid) {
    ASSIGN_OR_RETURN(HeldProcess process, HeldProcess::Hold(name.pid, fmt::format("pid/{}", name.pid)));
    return ProcessTarget::Create(std::move(process));
  }
  ASSIGN_OR_RETURN(HeldProcess process, HoldContainer(name, options));
  return ProcessTarget::Create(std::move(process));
}

}  // namespace mirrorfs
