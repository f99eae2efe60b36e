#include "protos/rootfs/lock_table.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "protos/rootfs/kernel_calls.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

struct flock ToKernel(const LockRange& lock) {
  struct flock kernel = {};
  kernel.l_type = lock.type == LockType::kRead ? F_RDLCK : lock.type == LockType::kWrite ? F_WRLCK : F_UNLCK;
  kernel.l_whence = SEEK_SET;
  kernel.l_start = static_cast<off_t>(lock.start);
  kernel.l_len = lock.end >= kLockToEndOfFile ? 0 : static_cast<off_t>(lock.end - lock.start + 1);
  return kernel;
}

LockRange FromKernel(const struct flock& kernel) {
  LockRange lock;
  lock.type = kernel.l_type == F_RDLCK   ? LockType::kRead
              : kernel.l_type == F_WRLCK ? LockType::kWrite
                                         : LockType::kUnlock;
  lock.start = static_cast<uint64_t>(kernel.l_start);
  lock.end = kernel.l_len == 0 ? kLockToEndOfFile : lock.start + static_cast<uint64_t>(kernel.l_len) - 1;
  lock.pid = kernel.l_pid > 0 ? static_cast<uint32_t>(kernel.l_pid) : 0;
  return lock;
}

absl::Status CheckRange(const LockRange& lock) {
  return ErrnoStatus(lock.start > lock.end || lock.start > kLockToEndOfFile ? EINVAL : 0);
}

int Flock(int fd, const LockRange& lock) {
  const int operation = lock.type == LockType::kRead ? LOCK_SH : lock.type == LockType::kWrite ? LOCK_EX : LOCK_UN;
  return ::flock(fd, operation | LOCK_NB);
}

}  // namespace

LockTable::RecordPtr LockTable::FindRecord(const Key& key, bool create) {
  MutexLock lock(mutex_);
  const auto found = records_.find(key);
  if (found != records_.end()) return found->second;
  if (!create) return nullptr;
  auto record = std::make_shared<Record>();
  records_.emplace(key, record);
  by_node_[std::get<0>(key)].insert(key);
  return record;
}

void LockTable::End(const Key& key, Record& record) {
  record.ended = true;
  record.fd.reset();
  MutexLock lock(mutex_);
  records_.erase(key);
  const auto of_node = by_node_.find(std::get<0>(key));
  of_node->second.erase(key);
  if (of_node->second.empty()) by_node_.erase(of_node);
}

absl::Status LockTable::Set(HandleId handle, const OpenDescriptor& file, LockOwner owner, LockKind kind,
                            const LockRange& lock) {
  RETURN_IF_ERROR(CheckRange(lock));
  if (FaultPlanted("lock_always_granted")) return absl::OkStatus();
  const Key key = {ToNumber(file.node), ToNumber(owner), static_cast<uint8_t>(kind)};
  while (true) {
    const RecordPtr record = FindRecord(key, lock.type != LockType::kUnlock);
    if (record == nullptr) return absl::OkStatus();  // nothing is locked
    MutexLock record_lock(record->mutex);
    if (record->ended) continue;  // and replaced by another one, or by none
    const absl::Status status =
        kind == LockKind::kRange ? SetRange(file, *record, lock) : SetFlock(file, *record, lock);
    if (status.ok()) record->handles.insert(ToNumber(handle));
    if (record->ranges.empty()) End(key, *record);
    return status;
  }
}

absl::Status LockTable::SetRange(const OpenDescriptor& file, Record& record, const LockRange& lock) {
  // As fcntl(2): what the lock is for must be what the file is open for.
  if (lock.type == LockType::kRead && !file.flags.read) return ErrnoStatus(EBADF);
  if (lock.type == LockType::kWrite && !file.flags.write) return ErrnoStatus(EBADF);
  RETURN_IF_ERROR(PrepareForRanges(file, record));
  struct flock kernel = ToKernel(lock);
  if (::fcntl(record.fd.get(), F_OFD_SETLK, &kernel) != 0) {
    return errno == EACCES ? ErrnoStatus(EAGAIN) : LastErrno("F_OFD_SETLK");
  }
  record.ranges.Apply(lock);
  return absl::OkStatus();
}

absl::Status LockTable::SetFlock(const OpenDescriptor& file, Record& record, const LockRange& lock) {
  if (!record.fd) {
    ASSIGN_OR_RETURN(record.fd, OpenForLocks(file));
  }
  LockRange whole = lock;
  whole.start = 0;
  whole.end = kLockToEndOfFile;
  absl::Status status = ErrnoStatus(Flock(record.fd.get(), whole) == 0 ? 0 : errno);
  // flock(2) drops the former lock before it tries for another one: a failed conversion has lost it.
  if (!status.ok()) whole.type = LockType::kUnlock;
  record.ranges.Apply(whole);
  return status;
}

absl::StatusOr<UniqueFd> LockTable::OpenForLocks(const OpenDescriptor& file) const {
  UniqueFd fd(proc_.Reopen(file.fd->get(), file.flags.write ? O_RDWR : O_RDONLY));
  if (!fd && file.flags.write) fd.reset(proc_.Reopen(file.fd->get(), O_WRONLY));
  if (!fd) return errno == EMFILE || errno == ENFILE ? ErrnoStatus(ENOLCK) : LastErrno("a descriptor for locks");
  return fd;
}

absl::Status LockTable::PrepareForRanges(const OpenDescriptor& file, Record& record) {
  if (record.fd && (record.writable || !file.flags.write)) return absl::OkStatus();
  ASSIGN_OR_RETURN(UniqueFd fd, OpenForLocks(file));
  // The former one was read-only, so what it holds are read locks: the new one can have the same at the same time,
  // and there is no moment in which they are free.
  for (const LockRange& held : record.ranges.ranges()) {
    struct flock kernel = ToKernel(held);
    if (::fcntl(fd.get(), F_OFD_SETLK, &kernel) != 0) return LastErrno("F_OFD_SETLK");
  }
  record.fd = std::move(fd);
  record.writable = file.flags.write;
  return absl::OkStatus();
}

uint32_t LockTable::PidOfOwner(const OpenDescriptor& file, const LockRange& conflict) {
  for (const auto& [key, record] : RecordsOf(file.node)) {
    if (std::get<2>(key) != static_cast<uint8_t>(LockKind::kRange)) continue;
    MutexLock record_lock(record->mutex);
    if (const std::optional<LockRange> held = record->ranges.Overlapping(conflict)) return held->pid;
  }
  return 0;
}

absl::StatusOr<LockRange> LockTable::Get(const OpenDescriptor& file, LockOwner owner, const LockRange& lock) {
  RETURN_IF_ERROR(CheckRange(lock));
  struct flock kernel = ToKernel(lock);
  const Key key = {ToNumber(file.node), ToNumber(owner), static_cast<uint8_t>(LockKind::kRange)};
  int result = 0;
  if (const RecordPtr record = FindRecord(key, false)) {
    MutexLock record_lock(record->mutex);
    // Asked through the descriptor that holds them, the owner's own locks are not in the way.
    result = ::fcntl(record->fd ? record->fd.get() : file.fd->get(), F_OFD_GETLK, &kernel);
  } else {
    result = ::fcntl(file.fd->get(), F_OFD_GETLK, &kernel);
  }
  if (result != 0) return LastErrno("F_OFD_GETLK");
  LockRange conflict = FromKernel(kernel);
  if (conflict.type != LockType::kUnlock && kernel.l_pid == -1) conflict.pid = PidOfOwner(file, conflict);
  return conflict;
}

std::vector<std::pair<LockTable::Key, LockTable::RecordPtr>> LockTable::RecordsOf(NodeId node) const {
  std::vector<std::pair<Key, RecordPtr>> found;
  MutexLock lock(mutex_);
  const auto keys = by_node_.find(ToNumber(node));
  if (keys == by_node_.end()) return found;
  for (const Key& key : keys->second) found.emplace_back(key, records_.at(key));
  return found;
}

void LockTable::Release(HandleId handle, NodeId node) {
  for (const auto& [key, record] : RecordsOf(node)) {
    MutexLock record_lock(record->mutex);
    if (record->ended || record->handles.erase(ToNumber(handle)) == 0) continue;
    if (record->handles.empty()) End(key, *record);
  }
}

}  // namespace mirrorfs
