#include "launcher/state/run_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/layers/layer_store.h"
#include "launcher/system/holders.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kNamePrefix = "exec/";
constexpr std::string_view kIdPrefix = "exec-";
constexpr absl::Duration kGrace = absl::Seconds(3);
// What is on its way when the last process ends is sent off first.
constexpr absl::Duration kEndLimit = absl::Seconds(15);
// Of processes with the same number: in other pid namespaces, with the same /run.
constexpr int kMaxNamesakes = 100;

// For whoever holds the lock: nobody looks after this run.
void ClearDeadRun(const StatePaths& paths) {
  const auto record = ReadRecord(paths.record);
  if (record.ok() && IsAlive(record->daemon)) return;  // its program still runs; the next one clears up
  if (record.ok()) EndProcess(record->agent, kGrace);
  // Where there are changes, 'mirrorfs layers' lists it; nobody waits here to be told.
  if (record.ok() && !record->layer.empty()) static_cast<void>(SettleLayer(record->layer));
  RemoveState(paths);
}

void ClearDeadRuns(const std::string& base) {
  for (const std::string& id : ListIds(base)) {
    if (!id.starts_with(kIdPrefix)) continue;
    const StatePaths paths = PathsOfId(base, id);
    const auto lock = LockState(paths);
    if (lock.ok() && *lock) ClearDeadRun(paths);
  }
}

}  // namespace

absl::StatusOr<RunState> TakeRunState(const std::string& base) {
  ClearDeadRuns(base);
  for (int namesake = 1; namesake <= kMaxNamesakes; ++namesake) {
    const std::string number = namesake == 1 ? std::to_string(::getpid()) : fmt::format("{}-{}", ::getpid(), namesake);
    StatePaths paths = PathsOfId(base, fmt::format("{}{}", kIdPrefix, number));
    ASSIGN_OR_RETURN(auto lock, LockState(paths));
    if (!lock) continue;
    if (::mkdir(paths.view.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;  // of a run whose program still runs
      return Failure(ExitCode::kFailed, fmt::format("{} cannot be made: {}.", paths.view, ErrnoText(errno)));
    }
    return RunState{
        .name = fmt::format("{}{}", kNamePrefix, number), .paths = std::move(paths), .lock = *std::move(lock)};
  }
  return Failure(ExitCode::kFailed, fmt::format("{}: no free place for this run.", base));
}

void WaitForEndingRuns(const std::string& base) {
  for (const std::string& id : ListIds(base)) {
    const auto record = ReadRecord(PathsOfId(base, id).record);
    if (!record.ok() || record->program_namespace.empty()) continue;
    if (MayBeInhabited(record->program_namespace, record->launcher)) continue;
    WaitForEnd(record->keeper, kEndLimit);
  }
}

bool IsRunName(std::string_view word) { return word.starts_with(kNamePrefix); }

absl::Status NoSuchRun(std::string_view name) {
  return Failure(ExitCode::kNotMounted, fmt::format("{}: there is no such run; 'mirrorfs status' lists them.", name));
}

std::optional<KnownMount> FindRun(const std::string& base, std::string_view name) {
  if (!IsRunName(name)) return std::nullopt;
  for (KnownMount& mount : ListMounts(base)) {
    if (mount.record.mountpoint == name) return std::move(mount);
  }
  return std::nullopt;
}

}  // namespace mirrorfs
