// The flags that exec, shell, explain and config have in common. They are only taken apart here: load_settings.h judges
// them, together with what environment and files say.
#ifndef MIRRORFS_LAUNCHER_CONFIG_EXEC_FLAGS_H_
#define MIRRORFS_LAUNCHER_CONFIG_EXEC_FLAGS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/program_options.hpp"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/plan/cluster_target.h"

namespace mirrorfs {

// What was not given is nothing or false: then other sources count.
struct ExecFlags {
  std::optional<std::string> config_file;               // -f, --config-file
  std::optional<std::string> target;                    // -t, --target
  ClusterFlags cluster;                                 // -c, -l, -n, --context, --kubeconfig, --kube-as(-group)
  std::optional<std::string> fs_mode;                   // --fs-mode
  std::optional<std::vector<std::string>> not_found;    // --not-found; each of the lists may be repeated
  std::optional<std::vector<std::string>> read_write;   // --read-write
  std::optional<std::vector<std::string>> read_only;    // --read-only
  std::optional<std::vector<std::string>> local;        // --local
  std::optional<std::vector<std::string>> mapping;      // --mapping MATCH=REPLACE
  bool no_auto_mount = false;                           // --no-auto-mount
  bool show_credentials = false;                        // --show-credentials
  std::optional<std::vector<std::string>> env;          // --env[=PATTERN]
  std::optional<std::vector<std::string>> env_exclude;  // --env-exclude PATTERN
  bool container_cwd = false;                           // --container-cwd
  std::optional<std::string> identity;                  // --as
  std::optional<std::string> deadline;                  // --deadline
  bool hard = false;                                    // --hard
  std::optional<std::string> runtime_socket;            // --runtime-socket
  std::optional<std::string> tls_ca;                    // --tls-ca
  std::optional<std::string> tls_certificate;           // --tls-cert
  std::optional<std::string> tls_key;                   // --tls-key
  std::optional<std::string> token_file;                // --token-file
  bool follow = false;                                  // --follow
  std::optional<std::string> agent_mode;                // --agent
  std::optional<std::string> progress;                  // --progress
  AgentPodWords agent_pod;                              // --agent-image and so on
  std::optional<std::string> agent_path;                // --agent-program
  std::optional<std::string> daemon_path;               // --mirrorfsd
};

// Adds the flags to a command's own options. `flags` must outlive the parsing.
void AddExecFlags(boost::program_options::options_description& options, ExecFlags& flags);

// About these flags, for the help of the commands that have them: lines that are indented by two spaces.
std::string_view ExecFlagsHelp();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_EXEC_FLAGS_H_
