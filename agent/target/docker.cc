#include "agent/target/engine_api.h"
#include "agent/target/found_container.h"
#include "agent/target/runtime_sockets.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
absl::StatusOr<FoundContainer> FindDockerContainer(const TargetName& target, const std::string& socket) {
  ASSIGN_OR_RETURN(const auto sockets, AnsweringSocketsOf(Runtime::kDocker, socket));
  return FindWithEngineApi("docker", sockets.front(), target.name);
}

}  // namespace mirrorfs
