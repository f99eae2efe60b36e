// `mirrorfs agent manifest|ls|logs|clean`: the agents in a cluster.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_AGENT_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_AGENT_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// `words`: what follows "agent".
absl::Status RunAgent(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_AGENT_COMMAND_H_
