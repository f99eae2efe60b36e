#include "launcher/system/programs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/split_text.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

bool IsExecutable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

bool IsProgram(const std::string& path) {
  struct stat attributes;
  return IsExecutable(path) && ::stat(path.c_str(), &attributes) == 0 && S_ISREG(attributes.st_mode);
}

}  // namespace

absl::StatusOr<std::string> FindProgram(std::string_view name, const std::string& given,
                                        const std::string& executable_directory) {
  std::vector<std::string> places = {fmt::format("{}/{}", executable_directory, name),
                                     fmt::format("{}/../libexec/mirrorfs/{}", executable_directory, name)};
  if (!given.empty()) places = {given};
  for (const std::string& place : places) {
    if (IsExecutable(place)) return place;
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("{} is not where it should be ({}). Is mirrorfs installed completely?", name,
                             fmt::join(places, ", ")));
}

absl::Status FindAgent(const Invoker& invoker, MountPlan& plan) {
  if (plan.IsInCluster()) {
    ASSIGN_OR_RETURN(plan.cluster.kubectl, FindKubectl());
  }
  ASSIGN_OR_RETURN(plan.agent_path, FindProgram("mirrorfs-agent", plan.agent_path, invoker.executable_directory));
  return absl::OkStatus();
}

absl::Status FindPrograms(const Invoker& invoker, MountPlan& plan) {
  ASSIGN_OR_RETURN(plan.daemon_path, FindProgram("mirrorfsd", plan.daemon_path, invoker.executable_directory));
  return plan.StartsAgent() ? FindAgent(invoker, plan) : absl::OkStatus();
}

std::string SearchPath(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const std::string_view directory : SplitText(path == nullptr ? "" : path, ':')) {
    std::string file = fmt::format("{}/{}", directory, name);
    if (directory.starts_with('/') && IsProgram(file)) return file;
  }
  return {};
}

std::string FindFusermount() {
  for (const char* place : {"/usr/bin/fusermount3", "/bin/fusermount3", "/usr/local/bin/fusermount3"}) {
    if (IsExecutable(place)) return place;
  }
  return {};
}

}  // namespace mirrorfs
