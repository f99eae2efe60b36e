#include "launcher/state/named_mount.h"

#include <optional>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/target_spec.h"
#include "launcher/state/run_state.h"
#include "launcher/system/mount_point.h"

namespace mirrorfs {

absl::StatusOr<KnownMount> FindNamedMount(const std::string& word, const Invoker& invoker) {
  const std::string base = StateBasePath(invoker);
  if (auto run = FindRun(base, word)) return *std::move(run);
  const auto found = PhysicalPath(AbsolutePath(word, invoker.working_directory));
  if (!found.ok()) return IsRunName(word) ? NoSuchRun(word) : found.status();
  const std::string& mountpoint = *found;
  if (auto mount = FindMount(base, mountpoint)) return *std::move(mount);
  return Failure(ExitCode::kNotMounted, fmt::format("{} is not a mount point of mirrorfs.", mountpoint));
}

}  // namespace mirrorfs
