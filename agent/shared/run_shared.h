// `mirrorfs-agent shared`: the agent of a node, for everybody who may run programs in its containers.
#ifndef MIRRORFS_AGENT_SHARED_RUN_SHARED_H_
#define MIRRORFS_AGENT_SHARED_RUN_SHARED_H_

#include "absl/status/status.h"
#include "agent/shared/shared_options.h"

namespace mirrorfs {

// Until SIGTERM or SIGINT. Fails with a message for a person.
absl::Status RunShared(const SharedOptions& options);

// `--check`: what the front needs is tried once, and told on stdout; the first thing that is missing is the failure.
absl::Status CheckShared(const SharedOptions& options);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_RUN_SHARED_H_
