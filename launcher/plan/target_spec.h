// What a user names as the thing to mount: docker/web, pod/web-0, pid/4711, dir:/srv, unix:/run/agent.sock ...
#ifndef MIRRORFS_LAUNCHER_PLAN_TARGET_SPEC_H_
#define MIRRORFS_LAUNCHER_PLAN_TARGET_SPEC_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "launcher/plan/cluster_target.h"

namespace mirrorfs {

enum class TargetKind : uint8_t {
  kDocker,
  kPodman,
  kContainerd,
  kCri,
  kPid,
  kDirectory,
  kUnixSocket,  // an agent that listens already
  kGrpc,        // likewise, over TCP
  kCluster,     // in a Kubernetes cluster
};

struct TargetSpec {
  TargetKind kind = TargetKind::kDirectory;
  std::string text;       // as given, with paths made absolute: for the agent, messages and /proc/mounts
  std::string endpoint;   // of an agent that listens already: unix:/path or host:port
  ClusterTarget cluster;  // kCluster

  bool NeedsAgent() const { return kind != TargetKind::kUnixSocket && kind != TargetKind::kGrpc; }

  bool operator==(const TargetSpec&) const = default;
};

// Relative paths are taken from `working_directory`. Fails with kUsage.
absl::StatusOr<TargetSpec> ParseTarget(std::string_view text, std::string_view working_directory);

// Whether a word on the command line looks like a target rather than a command.
bool LooksLikeTarget(std::string_view word);

// `path`, absolute, without "." and "..", double and trailing slashes. Purely textual.
std::string AbsolutePath(std::string_view path, std::string_view working_directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_TARGET_SPEC_H_
