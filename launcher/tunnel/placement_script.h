// The shell script that puts an agent into a container, and what it says on the way.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_PLACEMENT_SCRIPT_H_
#define MIRRORFS_LAUNCHER_TUNNEL_PLACEMENT_SCRIPT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

// How the script is run, with the agent's arguments: in them @ stands for the directory that it has found. It says
//   place MACHINE INSTANCE DIRECTORY   a directory of its own that can be written and executed in, on such a machine
//   lacks PROGRAM             or why not; likewise
//   nowhere REASONS
// then takes a line with the size of the binary and the binary from its stdin, and says
//   got CHECKSUM SIZE (the checksum is "-" where there is no cksum: Debian's busybox has none)
// then waits for the line "go" and becomes the agent. When its stdin ends before, it clears away what it has made.
std::vector<std::string> PlacementCommand(const std::string& directory_name,
                                          const std::vector<std::string>& agent_arguments);

struct Place {
  std::string machine;   // as uname -m says it
  std::string instance;  // when its first process began, and its upper directory: another run of it has others
  std::string directory;
};

// Takes apart its first line. Fails with kNoTarget or kUnreachable, saying what the container lacks; `other_ways` goes
// with that. kUnreachable for any other line.
absl::StatusOr<Place> ParsePlace(const std::string& line, const std::string& other_ways);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_PLACEMENT_SCRIPT_H_
