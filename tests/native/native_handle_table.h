// The open files of a NativeFileSystem, and the locks taken through them.
#ifndef MIRRORFS_TESTS_NATIVE_NATIVE_HANDLE_TABLE_H_
#define MIRRORFS_TESTS_NATIVE_NATIVE_HANDLE_TABLE_H_

#include <map>
#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/file_types.h"
#include "protos/shared/ids.h"
#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct NativeHandle {
  NodeId node;
  UniqueFd fd;
  OpenFlags flags;
};

// Thread-safe.
class NativeHandleTable {
 public:
  // EINVAL if the id is in use.
  absl::Status Add(HandleId id, std::shared_ptr<const NativeHandle> handle);
  // EBADF if there is none.
  absl::StatusOr<std::shared_ptr<const NativeHandle>> Find(HandleId id) const;
  bool Contains(HandleId id) const;
  // The descriptor that carries the locks that `owner` has on the file of `handle`: locks of one descriptor do not
  // conflict with each other, those of two do, as with the owners of the port. `id` keeps it alive.
  absl::StatusOr<std::shared_ptr<const UniqueFd>> LockDescriptor(HandleId id, const NativeHandle& handle,
                                                                 LockOwner owner, LockKind kind);
  void Release(HandleId id);

 private:
  struct Locks {
    std::shared_ptr<const UniqueFd> fd;
    std::set<HandleId> users;
  };
  struct LockKey {
    NodeId node;
    LockOwner owner;
    LockKind kind;
    auto operator<=>(const LockKey&) const = default;
  };
  mutable Mutex mutex_;
  std::map<HandleId, std::shared_ptr<const NativeHandle>> handles_ ABSL_GUARDED_BY(mutex_);
  std::map<LockKey, Locks> locks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_NATIVE_NATIVE_HANDLE_TABLE_H_
