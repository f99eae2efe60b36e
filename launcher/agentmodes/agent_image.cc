#include "launcher/agentmodes/agent_image.h"

#include <fstream>

namespace mirrorfs {

std::string DefaultAgentImage(const std::string& executable_directory) {
  for (const char* place : {"/mirrorfs-agent-image.ref", "/../libexec/mirrorfs/mirrorfs-agent-image.ref"}) {
    std::ifstream file(executable_directory + place);
    std::string name;
    if (std::getline(file, name) && !name.empty()) return name;
  }
  return "docker.io/library/mirrorfs-agent:" MIRRORFS_VERSION;
}

const char* OwnVersion() { return MIRRORFS_VERSION; }

}  // namespace mirrorfs
