// What `mirrorfs exec`, `shell` and `explain` are asked to do, from wherever it was said: flags, environment, files.
// Other commands take `agent` and `cluster` of it (service_arguments.h).
#ifndef MIRRORFS_LAUNCHER_CONFIG_EXEC_SETTINGS_H_
#define MIRRORFS_LAUNCHER_CONFIG_EXEC_SETTINGS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "launcher/agentmodes/agent_pod_spec.h"
#include "protos/policy/policy_spec.h"

namespace mirrorfs {

// A value and where it comes from: "flag --fs-mode", "MIRRORFS_FS_MODE", "FILE:LINE", "default".
template <typename T>
struct Sourced {
  T value{};
  std::string source = "default";
};

// One word of a list, with its own place: the lines of a file differ.
struct ListEntry {
  std::string text;
  std::string origin;
};

using SourcedList = Sourced<std::vector<ListEntry>>;

inline std::vector<std::string> TextsOf(const SourcedList& list) {
  std::vector<std::string> texts;
  for (const ListEntry& entry : list.value) texts.push_back(entry.text);
  return texts;
}

struct FsSettings {
  Sourced<FsMode> mode = {.value = FsMode::kRead};
  SourcedList not_found;  // patterns, in their order; likewise below
  SourcedList read_write;
  SourcedList read_only;
  SourcedList local;
  Sourced<std::vector<PathMapping>> mapping;
  Sourced<bool> auto_mount = {.value = true};        // the target's volumes are the container's
  Sourced<bool> hide_credentials = {.value = true};  // the developer's own below home are not found
};

// Which of the target's environment variables the program gets. Names with * and ?; nothing is taken over unless
// `include` says so. `set` and `unset` apply last.
struct EnvSettings {
  SourcedList include;
  SourcedList exclude;
  Sourced<std::vector<std::pair<std::string, std::string>>> set;
  SourcedList unset;
};

// As the options of `mirrorfs mount`; empty texts: not given.
struct AgentSettings {
  Sourced<std::string> mode;      // --agent
  Sourced<std::string> identity;  // --as
  Sourced<std::string> deadline;
  Sourced<bool> hard;
  Sourced<bool> follow;  // --follow: on to the workload's next pod
  Sourced<std::string> runtime_socket;
  Sourced<std::string> tls_ca;
  Sourced<std::string> tls_certificate;
  Sourced<std::string> tls_key;
  Sourced<std::string> token_file;
  // --agent-image and so on, by the key's name in files; empty lists: not given.
  std::map<std::string, SourcedList, std::less<>> pod;
  Sourced<std::string> progress;     // --progress: flags only
  Sourced<std::string> agent_path;   // flags only: a file that somebody left in a directory shall not start programs
  Sourced<std::string> daemon_path;  // likewise
};

// As the options of `mirrorfs mount` for targets in a cluster; empty: not given.
struct ClusterSettings {
  Sourced<std::string> name_space;
  Sourced<std::string> context;
  Sourced<std::string> kubeconfig;
  Sourced<std::string> impersonate;
  SourcedList impersonate_groups;
};

struct ExecSettings {
  Sourced<std::string> target;     // empty: none was given
  Sourced<std::string> container;  // in the target's pod
  Sourced<std::string> selector;   // of pods, in place of a target's name
  Sourced<bool> container_cwd;     // start in the target's working directory
  FsSettings fs;
  EnvSettings env;
  AgentSettings agent;
  ClusterSettings cluster;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_EXEC_SETTINGS_H_
