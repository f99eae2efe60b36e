#include "launcher/kubernetes/workload_target.h"

#include <algorithm>

namespace mirrorfs {
namespace {

constexpr std::array kKinds = {
    WorkloadKind{"pod", "pods", {"pods", "po"}},
    WorkloadKind{"deployment", "deployments.apps", {"deployments", "deploy"}},
    WorkloadKind{"statefulset", "statefulsets.apps", {"statefulsets", "sts"}},
    WorkloadKind{"daemonset", "daemonsets.apps", {"daemonsets", "ds"}},
    WorkloadKind{"replicaset", "replicasets.apps", {"replicasets", "rs"}},
    WorkloadKind{"job", "jobs.batch", {"jobs"}},
    WorkloadKind{"cronjob", "cronjobs.batch", {"cronjobs", "cj"}},
    WorkloadKind{"rollout", "rollouts.argoproj.io", {"rollouts", "ro"}},
    WorkloadKind{"service", "services", {"services", "svc"}},
    WorkloadKind{"node", "nodes", {"nodes", "no"}},
};

}  // namespace

absl::Span<const WorkloadKind> WorkloadKinds() { return kKinds; }

const WorkloadKind* FindWorkloadKind(std::string_view word) {
  for (const WorkloadKind& kind : kKinds) {
    const bool is_alias = std::find(kind.aliases.begin(), kind.aliases.end(), word) != kind.aliases.end();
    if (!word.empty() && (kind.name == word || is_alias)) return &kind;
  }
  return nullptr;
}

}  // namespace mirrorfs
