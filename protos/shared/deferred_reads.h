// What a FileSystem may offer besides the port: reads that are answered later, so that no thread waits for each.
#ifndef MIRRORFS_PROTOS_SHARED_DEFERRED_READS_H_
#define MIRRORFS_PROTOS_SHARED_DEFERRED_READS_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Called exactly once.
using ReadDone = absl::AnyInvocable<void(absl::StatusOr<absl::Cord>) &&>;

// Thread-safe.
class DeferredReads {
 public:
  virtual ~DeferredReads() = default;

  // As FileSystem::Read. `done` is called in this call or after it, from any thread and with no lock held; soon after
  // the context's stop was requested, with EINTR. The calling thread may be kept for as long as others read the file.
  virtual void StartRead(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size,
                         ReadDone done) = 0;

  // Of `files`, if it has them, else null.
  static DeferredReads* Of(FileSystem* files) { return dynamic_cast<DeferredReads*>(files); }
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_DEFERRED_READS_H_
