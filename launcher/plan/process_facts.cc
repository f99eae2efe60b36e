#include "launcher/plan/process_facts.h"

#include <algorithm>

#include "absl/strings/str_split.h"
#include "launcher/failure.h"
#include "launcher/plan/kernel_trees.h"
#include "launcher/system/mount_table.h"

namespace mirrorfs {
namespace {

bool IsVolume(const MountRow& row) {
  return row.mountpoint != "/" && std::none_of(kKernelTrees.begin(), kKernelTrees.end(),
                                               [&](std::string_view tree) { return IsWithin(row.mountpoint, tree); });
}

std::vector<std::string> Volumes(std::string_view mount_table) {
  std::vector<std::string> volumes;
  for (const MountRow& row : ParseMountTable(mount_table)) {
    if (IsVolume(row)) volumes.push_back(row.mountpoint);
  }
  std::sort(volumes.begin(), volumes.end());
  volumes.erase(std::unique(volumes.begin(), volumes.end()), volumes.end());
  return volumes;
}

}  // namespace

absl::StatusOr<ProcessFacts> ParseProcessFacts(std::string_view text) {
  const size_t first = text.find('\0');
  const size_t second = first == text.npos ? first : text.find('\0', first + 1);
  if (second == text.npos) {
    return Failure(ExitCode::kUnreachable, "the agent did not tell what the target's process is like.");
  }
  const std::string environment(text.substr(second + 1));
  return ProcessFacts{.working_directory = std::string(text.substr(0, first)),
                      .volumes = Volumes(text.substr(first + 1, second - first - 1)),
                      .environment = absl::StrSplit(environment, '\0', absl::SkipEmpty())};
}

}  // namespace mirrorfs
