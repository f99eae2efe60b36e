#include "agent/target/process_target.h"

#include <linux/capability.h>

#include <utility>

#include "agent/target/user_namespace.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// In a user namespace of its own a process has its capabilities over the namespace's ids only. These are the ones that
// mean the same to the agent, which is outside: no device nodes, no file capabilities that would hold on the host, no
// trusted attributes.
constexpr uint64_t kNamespacedCapabilities = uint64_t{1} << CAP_CHOWN | uint64_t{1} << CAP_DAC_OVERRIDE |
                                             uint64_t{1} << CAP_DAC_READ_SEARCH | uint64_t{1} << CAP_FOWNER |
                                             uint64_t{1} << CAP_FSETID;

// Who may override permissions may read and search everything, and runtimes give root just that. A read-only agent has
// no DAC_OVERRIDE to lend, but the capability that is the reading part of it.
uint64_t WithReadingPart(uint64_t capabilities) {
  const bool overrides = (capabilities >> CAP_DAC_OVERRIDE & 1) != 0;
  return overrides ? capabilities | uint64_t{1} << CAP_DAC_READ_SEARCH : capabilities;
}

}  // namespace

ProcessTarget::ProcessTarget(HeldProcess process)
    : process_(std::move(process)), description_(fmt::format("{}, pid {}", process_.description(), process_.pid())) {}

absl::StatusOr<std::unique_ptr<Target>> ProcessTarget::Create(HeldProcess process) {
  RETURN_IF_ERROR(JoinUserNamespaceIfNeeded(process));
  std::unique_ptr<ProcessTarget> target(new ProcessTarget(std::move(process)));
  RETURN_IF_ERROR(target->OpenRoot().status());
  RETURN_IF_ERROR(target->ReadIdentity());
  return target;
}

absl::StatusOr<ProcessFacts> ProcessTarget::ReadProcessFacts() const {
  ProcessFacts facts;
  ASSIGN_OR_RETURN(const std::string root, process_.ReadLink("root"));
  ASSIGN_OR_RETURN(facts.working_directory, process_.ReadLink("cwd"));
  // Links of a process that has been chrooted begin with its root.
  if (root != "/" && facts.working_directory.starts_with(root)) facts.working_directory.erase(0, root.size());
  if (facts.working_directory.empty()) facts.working_directory = "/";
  ASSIGN_OR_RETURN(facts.mount_table, process_.Read("mountinfo"));
  ASSIGN_OR_RETURN(facts.environment, process_.Read("environ"));
  return facts;
}

absl::Status ProcessTarget::ReadIdentity() {
  ASSIGN_OR_RETURN(ProcessStatus status, process_.Status());
  credentials_ = std::move(status.credentials);
  credentials_.capabilities = WithReadingPart(credentials_.capabilities);
  ASSIGN_OR_RETURN(const bool shared, process_.SharesUserNamespace());
  if (shared) return absl::OkStatus();
  credentials_.capabilities &= kNamespacedCapabilities;
  ASSIGN_OR_RETURN(const std::string uid_text, process_.Read("uid_map"));
  ASSIGN_OR_RETURN(uids_, IdMap::Parse(uid_text));
  ASSIGN_OR_RETURN(const std::string gid_text, process_.Read("gid_map"));
  ASSIGN_OR_RETURN(gids_, IdMap::Parse(gid_text));
  return absl::OkStatus();
}

}  // namespace mirrorfs
