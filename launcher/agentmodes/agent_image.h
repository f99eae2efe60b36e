#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_IMAGE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_IMAGE_H_

#include <optional>
#include <string>

namespace mirrorfs {

// The image of the agent that was built with this mirrorfs: the first line of the file mirrorfs-agent-image.ref beside
// it or in its libexec, where whoever installs mirrorfs writes the name that his registry has given it, with the
// digest. Nothing without that file.
std::optional<std::string> PublishedAgentImage(const std::string& executable_directory);

// The name by which the image's archive loads: only a node that has loaded it knows it.
std::string LoadedAgentImage();

// Which the agent must have, too.
const char* OwnVersion();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_IMAGE_H_
