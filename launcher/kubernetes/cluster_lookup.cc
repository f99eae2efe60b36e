#include "launcher/kubernetes/cluster_lookup.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/keeper/progress.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/plan/cluster_target.h"
#include "launcher/plan/nearest.h"
#include "launcher/split_text.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

// The keeper's programs work in another directory: names in $KUBECONFIG must not depend on it.
void MakeKubeconfigListAbsolute() {
  const char* list = std::getenv("KUBECONFIG");
  if (list == nullptr || *list == '\0') return;
  std::vector<std::string> files;
  for (const std::string_view file : SplitText(list, ':')) files.push_back(std::filesystem::absolute(file).string());
  ::setenv("KUBECONFIG", absl::StrJoin(files, ":").c_str(), 1);
}

// Of the entry that has this name.
const json& Named(const json& list, std::string_view name) {
  for (const json& entry : list) {
    if (TextAt(entry, {"name"}) == name) return entry;
  }
  return FieldAt(list, {"none"});
}

absl::Status NoContext(const std::string& name, const json& contexts) {
  std::vector<std::string> known;
  for (const json& context : contexts) known.push_back(TextAt(context, {"name"}));
  return Failure(ExitCode::kUsage,
                 fmt::format("--context {}: there is no such context{} There {} {}.", name, DidYouMean(name, known),
                             known.size() == 1 ? "is" : "are", known.empty() ? "none" : absl::StrJoin(known, ", ")));
}

}  // namespace

absl::Status SettleAccess(ClusterAccess& access) {
  MakeKubeconfigListAbsolute();
  if (!access.kubeconfig.empty() && ::access(access.kubeconfig.c_str(), R_OK) != 0) {
    return Failure(ExitCode::kUsage, fmt::format("--kubeconfig {}: {}.", access.kubeconfig, ErrnoText(errno)));
  }
  ASSIGN_OR_RETURN(access.kubectl, FindKubectl());
  const Kubectl kubectl(access);
  ASSIGN_OR_RETURN(const std::string text, kubectl.Run({{"config", "view", "-o", "json"}}));
  ASSIGN_OR_RETURN(const json config, ParseKubectlJson(text, "config view"));
  if (access.context.empty()) access.context = TextAt(config, {"current-context"});
  if (access.context.empty()) {
    return std::getenv("KUBERNETES_SERVICE_HOST") != nullptr ? absl::OkStatus() : NoCluster(kubectl);
  }
  const json& context = Named(ListAt(config, {"contexts"}), access.context);
  if (context.is_null()) return NoContext(access.context, ListAt(config, {"contexts"}));
  if (access.name_space.empty()) access.name_space = TextAt(context, {"context", "namespace"});
  if (access.name_space.empty()) access.name_space = "default";
  return absl::OkStatus();
}

absl::StatusOr<PodTarget> FindInCluster(MountPlan& plan) {
  RETURN_IF_ERROR(SettleAccess(plan.cluster));
  plan.target = ClusterTargetText({.workload = plan.workload, .access = plan.cluster});
  ASSIGN_OR_RETURN(PodTarget pod, ResolvePod(Kubectl(plan.cluster), plan.workload));
  PrintProgress(plan.progress, kTargetStep, pod.said);
  return pod;
}

}  // namespace mirrorfs
