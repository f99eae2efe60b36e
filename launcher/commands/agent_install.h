// `mirrorfs agent install` and `uninstall`: the chart of the shared agents, by the user's own helm.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_AGENT_INSTALL_H_
#define MIRRORFS_LAUNCHER_COMMANDS_AGENT_INSTALL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "launcher/kubernetes/cluster_access.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

struct AgentInstallation {
  std::string helm;      // path
  ClusterAccess access;  // its namespace is that of the agents; empty: the usual one
  std::string chart;     // directory, archive, or what else helm takes
  std::string image;     // empty: the chart's
  std::vector<std::string> more_words;
};

// argv of helm. "NAME@DIGEST" and "NAME:TAG" become the chart's values.
std::vector<std::string> HelmInstallCommand(const AgentInstallation& installation);
std::vector<std::string> HelmUninstallCommand(const AgentInstallation& installation);

// Does not return if helm could be started. `words`: after "install" or "uninstall"; those after -- are helm's.
absl::Status RunAgentInstall(absl::Span<const std::string> words, const Invoker& invoker);
absl::Status RunAgentUninstall(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_AGENT_INSTALL_H_
