// What the agent tells of the target's main process (mirrorfs-agent --process-facts-fd).
#ifndef MIRRORFS_LAUNCHER_PLAN_PROCESS_FACTS_H_
#define MIRRORFS_LAUNCHER_PLAN_PROCESS_FACTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace mirrorfs {

struct ProcessFacts {
  std::string working_directory;         // empty: there is no process
  std::vector<std::string> volumes;      // mount points of what was mounted into the container, sorted
  std::vector<std::string> environment;  // NAME=VALUE
};

// `text`: working directory, NUL, mount table, NUL, environment. Fails with kUnreachable if it is not that.
absl::StatusOr<ProcessFacts> ParseProcessFacts(std::string_view text);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_PROCESS_FACTS_H_
