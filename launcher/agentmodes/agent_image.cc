#include "launcher/agentmodes/agent_image.h"

#include <fstream>

namespace mirrorfs {

std::optional<std::string> PublishedAgentImage(const std::string& executable_directory) {
  for (const char* place : {"/mirrorfs-agent-image.ref", "/../libexec/mirrorfs/mirrorfs-agent-image.ref"}) {
    std::ifstream file(executable_directory + place);
    std::string name;
    if (std::getline(file, name) && !name.empty()) return name;
  }
  return std::nullopt;
}

std::string LoadedAgentImage() { return "docker.io/library/mirrorfs-agent:" MIRRORFS_VERSION; }

const char* OwnVersion() { return MIRRORFS_VERSION; }

}  // namespace mirrorfs
