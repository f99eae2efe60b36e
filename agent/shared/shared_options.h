// The command line of `mirrorfs-agent shared`.
#ifndef MIRRORFS_AGENT_SHARED_SHARED_OPTIONS_H_
#define MIRRORFS_AGENT_SHARED_SHARED_OPTIONS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/shared/authorizer.h"

namespace mirrorfs {

struct SharedOptions {
  std::string listen;  // ADDRESS:PORT
  std::string health_listen;
  std::string metrics_listen;  // empty: no metrics
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::string node;
  std::string runtime_socket;
  bool pid_from_cgroup = false;
  std::string work_directory;  // for the sockets of the children
  WriteRule write_rule = WriteRule::kExec;
  size_t sessions_per_user = 0;
  size_t sessions = 0;
  size_t connections_per_user = 0;
  size_t connections = 0;
  absl::Duration ticket_life;
  absl::Duration ttl;  // how long a child stays without a stream
  std::string check;   // NAMESPACE/NAME of the DaemonSet: try everything once and end
  bool help = false;
};

// `argv[0]` is passed over. INVALID_ARGUMENT with a message for a person.
absl::StatusOr<SharedOptions> ParseSharedOptions(int argc, char** argv);

std::string SharedHelp();

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_SHARED_OPTIONS_H_
