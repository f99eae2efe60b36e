#include "tests/native/native_handle_table.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>

#include "protos/shared/errno_status.h"

namespace mirrorfs {

absl::Status NativeHandleTable::Add(HandleId id, std::shared_ptr<const NativeHandle> handle) {
  MutexLock lock(mutex_);
  if (id == HandleId::kNone || !handles_.emplace(id, std::move(handle)).second) return ErrnoStatus(EINVAL);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const NativeHandle>> NativeHandleTable::Find(HandleId id) const {
  MutexLock lock(mutex_);
  auto found = handles_.find(id);
  if (found == handles_.end()) return ErrnoStatus(EBADF);
  return found->second;
}

bool NativeHandleTable::Contains(HandleId id) const {
  MutexLock lock(mutex_);
  return handles_.contains(id);
}

absl::StatusOr<std::shared_ptr<const UniqueFd>> NativeHandleTable::LockDescriptor(HandleId id,
                                                                                  const NativeHandle& handle,
                                                                                  LockOwner owner, LockKind kind) {
  const LockKey key = {handle.node, owner, kind};
  {
    MutexLock lock(mutex_);
    if (auto found = locks_.find(key); found != locks_.end()) {
      found->second.users.insert(id);
      return found->second.fd;
    }
  }
  const std::string path = "/proc/self/fd/" + std::to_string(handle.fd.get());
  int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return LastErrno("open for locks");
  auto opened = std::make_shared<const UniqueFd>(fd);
  MutexLock lock(mutex_);
  Locks& locks = locks_.try_emplace(key, Locks{opened, {}}).first->second;
  locks.users.insert(id);
  return locks.fd;
}

void NativeHandleTable::Release(HandleId id) {
  std::shared_ptr<const NativeHandle> handle;  // closed after the lock is given up
  std::map<LockKey, Locks> unused;
  MutexLock lock(mutex_);
  auto found = handles_.find(id);
  if (found == handles_.end()) return;
  handle = std::move(found->second);
  handles_.erase(found);
  for (auto locks = locks_.begin(); locks != locks_.end();) {
    locks->second.users.erase(id);
    auto current = locks++;
    if (current->second.users.empty()) unused.insert(locks_.extract(current));
  }
}

}  // namespace mirrorfs
