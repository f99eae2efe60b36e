// The command line of `mirrorfs mount`, taken apart but not judged: see mount_plan.h for that.
#ifndef MIRRORFS_LAUNCHER_PLAN_MOUNT_ARGUMENTS_H_
#define MIRRORFS_LAUNCHER_PLAN_MOUNT_ARGUMENTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "boost/program_options.hpp"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/plan/cluster_target.h"

namespace mirrorfs {

struct MountArguments {
  std::string target;
  std::string mountpoint;
  std::vector<std::string> options;  // values of -o
  bool read_write = false;           // --rw, -w
  bool read_only = false;            // --read-only, -r
  bool foreground = false;
  bool verbose = false;
  bool hard = false;
  bool make_directory = false;
  bool private_layer = false;  // --cow
  std::optional<std::string> layer;
  bool help = false;
  bool fake = false;  // mount(8)'s -f: check only
  bool dry_run = false;
  std::optional<std::string> identity;
  std::optional<std::string> deadline;
  std::string runtime_socket;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string token_file;
  bool follow = false;      // --follow
  std::string agent_mode;   // --agent; empty: auto
  std::string progress;     // --progress
  AgentPodWords agent_pod;  // --agent-image and so on
  std::string agent_path;   // --agent-program
  std::string daemon_path;
  ClusterFlags cluster;  // where and what in a cluster the target is
};

// Which agent, whose rights: what all commands have that reach a target. `arguments` must outlive the parsing.
void AddTargetFlags(boost::program_options::options_description& options, MountArguments& arguments);

// Who calls: a person, or mount(8) (as mount.mirrorfs TARGET DIR [-sfnv] [-o OPTIONS], where -f means "fake").
enum class MountCaller : uint8_t { kPerson, kMountHelper };

// `words`: what follows "mount". Fails with kUsage.
absl::StatusOr<MountArguments> ParseMountArguments(absl::Span<const std::string> words, MountCaller caller);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_MOUNT_ARGUMENTS_H_
