// Texts that the agent reads from files before it gives up its rights.
#ifndef MIRRORFS_AGENT_SECRETS_H_
#define MIRRORFS_AGENT_SECRETS_H_

#include <string>

#include "absl/status/status.h"
#include "agent/options.h"
#include "agent/service/agent_server.h"

namespace mirrorfs {

// Fills in the token and the PEM texts. INVALID_ARGUMENT with a message for a person; never with what is in a file.
absl::Status ReadSecrets(const AgentOptions& options, AgentServerOptions& server);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SECRETS_H_
