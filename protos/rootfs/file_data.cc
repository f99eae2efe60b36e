// Read, Write, Fsync.
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "protos/rootfs/kernel_calls.h"
#include "protos/rootfs/read_file.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Far beyond what any client asks for in one call: a bound on memory.
constexpr uint32_t kMostReadBytes = 64 << 20;
// Below this a copy is cheaper than keeping a buffer that is mostly empty.
constexpr size_t kCopiedBytes = 1024;
constexpr size_t kMostVectors = 256;

absl::Cord WrapBuffer(std::unique_ptr<char[]> buffer, size_t size) {
  const absl::string_view data(buffer.get(), size);
  if (size <= kCopiedBytes) return absl::Cord(data);
  return absl::MakeCordFromExternal(data, [owned = std::shared_ptr<char[]>(std::move(buffer))] {});
}

// The next part of the data, as pwritev takes it.
std::vector<iovec> NextVectors(const absl::Cord& data) {
  std::vector<iovec> vectors;
  for (absl::string_view chunk : data.Chunks()) {
    if (vectors.size() == kMostVectors) break;
    vectors.push_back({const_cast<char*>(chunk.data()), chunk.size()});
  }
  return vectors;
}

}  // namespace

absl::StatusOr<absl::Cord> RootedFilesystemImpl::Read(const CallContext& context, HandleId handle, uint64_t offset,
                                                      uint32_t size) {
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  if (size > kMostReadBytes || offset > static_cast<uint64_t>(kMaxFileOffset) - size) return ErrnoStatus(EINVAL);
  auto buffer = std::make_unique_for_overwrite<char[]>(size);
  ASSIGN_OR_RETURN(const size_t count, ReadFully(file.fd->get(), buffer.get(), size, offset));
  return WrapBuffer(std::move(buffer), count);
}

absl::StatusOr<Written> RootedFilesystemImpl::Write(const CallContext& context, HandleId handle, uint64_t offset,
                                                    absl::Cord data) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  if (offset > static_cast<uint64_t>(kMaxFileOffset) - data.size()) return ErrnoStatus(EFBIG);
  // Whether the file keeps its set-id bits depends on who writes.
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {file.fd->get()}));
  Written result;
  uint64_t& written = result.bytes;
  while (!data.empty()) {
    const std::vector<iovec> vectors = NextVectors(data);
    // With O_APPEND the kernel does not look at the offset.
    const ssize_t count = ::pwritev(file.fd->get(), vectors.data(), static_cast<int>(vectors.size()),
                                    static_cast<off_t>(offset + written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && written == 0) return LastErrno("pwritev");
    if (count <= 0) break;
    written += static_cast<uint64_t>(count);
    data.RemovePrefix(static_cast<size_t>(count));
  }
  result.attributes = AttributesAfter(file);
  RETURN_IF_ERROR(CheckAlive());
  return result;
}

absl::Status RootedFilesystemImpl::Fsync(const CallContext& context, HandleId handle, bool data_only) {
  ASSIGN_OR_RETURN(const OpenDescriptor file, handles_.Find(handle));
  const int result = data_only ? ::fdatasync(file.fd->get()) : ::fsync(file.fd->get());
  if (result != 0) return LastErrno("fsync");
  return file.flags.write ? CheckAlive() : absl::OkStatus();
}

}  // namespace mirrorfs
