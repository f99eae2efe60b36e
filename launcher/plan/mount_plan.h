// A mount as it is going to be done: the command line judged, defaults filled in. Made without touching the system,
// and handed to the keeper.
#ifndef MIRRORFS_LAUNCHER_PLAN_MOUNT_PLAN_H_
#define MIRRORFS_LAUNCHER_PLAN_MOUNT_PLAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/plan/agent_mode.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_arguments.h"

namespace mirrorfs {

enum class ProgressForm : uint8_t { kTerminal, kJson };

struct MountPlan {
  std::string target;       // as the agent and people read it
  std::string endpoint;     // of an agent that listens already; empty: start one
  WorkloadTarget workload;  // of a target in a cluster; its kind is empty for all others
  WorkloadTarget followed;  // --follow: what is looked for anew when its container ends; its kind is empty without
  ClusterAccess cluster;    // likewise: which cluster, and how it is reached
  std::string mountpoint;   // absolute; physical once the mount point has been looked at
  std::string identity;     // container, caller, UID or UID:GID
  AgentMode agent_mode = AgentMode::kHost;
  bool exec_is_next = false;  // auto has chosen another mode: if that fails at the start, kExec
  AgentPodSpec agent_pod;     // of a target in a cluster: what its agent's pod is like, if it has one
  bool read_write = false;
  bool devices = false;
  bool private_layer = false;   // changes go to a private layer, never to the container
  std::string layer_name;       // of that layer; empty: a new one
  std::string layer_directory;  // filled in when the layer has been chosen
  bool nonempty = false;        // a mount point that is not empty will do
  bool make_directory = false;  // make the mount point if it is missing
  bool foreground = false;
  bool verbose = false;
  ProgressForm progress = ProgressForm::kTerminal;  // how the steps of an agent that takes its time are said
  double deadline_seconds = 10;                     // 0: wait for ever
  std::vector<std::string> mount_options;           // for mirrorfsd's -o
  std::string policy_file;                          // which path lives where; empty: all in the container
  std::string runtime_socket;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string token_file;
  std::string agent_path;   // empty: beside mirrorfs, or in its libexec
  std::string daemon_path;  // likewise

  bool StartsAgent() const { return endpoint.empty(); }
  bool IsInCluster() const { return !workload.kind.empty(); }
  bool Follows() const { return !followed.kind.empty(); }
  bool AllowsOthers() const;

  bool operator==(const MountPlan&) const = default;
};

// What can be judged without knowing target and user. `name`: what the word is for. Fails with kUsage.
absl::Status CheckIdentityWord(std::string_view name, std::string_view word);
absl::Status CheckDeadlineWord(std::string_view name, std::string_view word);

// What agent and daemon are to be like: everything but where and how is mounted. Fails with kUsage or kNotPermitted.
absl::StatusOr<MountPlan> MakeServicePlan(const MountArguments& arguments, const Invoker& invoker);

// Whether an agent of that mode can take on that identity. Fails with kNotPermitted.
absl::Status CheckIdentityOf(AgentMode mode, const std::string& identity);

// Fails with kUsage or kNotPermitted.
absl::StatusOr<MountPlan> MakeMountPlan(const MountArguments& arguments, const Invoker& invoker);

// To hand it to the keeper's process, and back.
std::string Serialize(const MountPlan& plan);
absl::StatusOr<MountPlan> ParseMountPlan(std::string_view bytes);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_MOUNT_PLAN_H_
