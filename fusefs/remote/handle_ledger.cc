#include "fusefs/remote/handle_ledger.h"

#include <algorithm>
#include <cerrno>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

bool HandleLedger::Opened(Generation generation, HandleId handle, NodeId node, OpenFlags flags) {
  MutexLock lock(mutex_);
  if (generation != generation_) return false;
  flags.truncate = false;
  records_[handle] = {.node = node, .flags = flags, .lockers = {}, .error = 0};
  return true;
}

void HandleLedger::Locked(HandleId handle, LockOwner owner) {
  MutexLock lock(mutex_);
  auto found = records_.find(handle);
  if (found == records_.end()) return;
  std::vector<LockOwner>& lockers = found->second.lockers;
  if (std::find(lockers.begin(), lockers.end(), owner) == lockers.end()) lockers.push_back(owner);
}

void HandleLedger::Unlocked(HandleId handle, LockOwner owner) {
  MutexLock lock(mutex_);
  auto found = records_.find(handle);
  if (found != records_.end()) std::erase(found->second.lockers, owner);
}

HandleLedger::Released HandleLedger::Release(HandleId handle) {
  MutexLock lock(mutex_);
  Released released{.generation = generation_, .urgent = false};
  auto found = records_.find(handle);
  if (found == records_.end()) return released;
  const Record& record = found->second;
  if (record.error != 0) released.generation = Generation::kNone;  // no agent has it
  released.urgent = !record.lockers.empty() || record.flags.write || record.flags.append;
  records_.erase(found);
  return released;
}

absl::Status HandleLedger::CheckLost(HandleId handle) const {
  MutexLock lock(mutex_);
  auto found = records_.find(handle);
  if (found == records_.end() || found->second.error == 0) return absl::OkStatus();
  return ErrnoStatus(found->second.error, "the handle was lost with the agent that had it");
}

std::vector<LedgerHandle> HandleLedger::Snapshot(Generation next) {
  MutexLock lock(mutex_);
  generation_ = next;
  std::vector<LedgerHandle> handles;
  for (auto& [handle, record] : records_) {
    if (!record.lockers.empty() && record.error == 0) {
      record.error = EIO;
      any_lost_ = true;
    }
    if (record.error == 0) handles.push_back({handle, record.node, record.flags});
  }
  return handles;
}

void HandleLedger::Abandon(Generation next) {
  MutexLock lock(mutex_);
  generation_ = next;
  for (auto& [handle, record] : records_) {
    if (record.error == 0) record.error = ESTALE;
  }
  any_lost_ = !records_.empty() || any_lost_;
}

void HandleLedger::Lost(HandleId handle) {
  MutexLock lock(mutex_);
  auto found = records_.find(handle);
  if (found == records_.end()) return;
  found->second.error = ESTALE;
  any_lost_ = true;
}

}  // namespace mirrorfs
