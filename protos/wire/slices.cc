#include "protos/wire/slices.h"

#include <atomic>
#include <memory>
#include <utility>

namespace mirrorfs {
namespace {

constexpr size_t kCopyBelow = 512;

// Keeps a cord alive until the last slice made from it is gone.
struct SharedCord {
  absl::Cord cord;
  std::atomic<size_t> users;
};

void DropUser(void* shared) {
  auto* owner = static_cast<SharedCord*>(shared);
  if (owner->users.fetch_sub(1, std::memory_order_acq_rel) == 1) std::unique_ptr<SharedCord> last(owner);
}

grpc::Slice CopiedSlice(absl::string_view bytes) { return grpc::Slice(bytes.data(), bytes.size()); }

}  // namespace

void AppendSlices(const absl::Cord& data, std::vector<grpc::Slice>& slices) {
  if (data.size() < kCopyBelow) {
    for (absl::string_view chunk : data.Chunks()) slices.push_back(CopiedSlice(chunk));
    return;
  }
  // Chunks are taken from the owner's cord, as a short one lies in the cord object itself.
  auto owner = std::make_unique<SharedCord>();
  owner->cord = data;
  owner->users = 1;  // this function
  for (absl::string_view chunk : owner->cord.Chunks()) {
    owner->users.fetch_add(1, std::memory_order_relaxed);
    slices.emplace_back(const_cast<char*>(chunk.data()), chunk.size(), &DropUser, owner.get());
  }
  DropUser(owner.release());
}

absl::StatusOr<absl::Cord> ShareAsCord(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (buffer.Valid() && !buffer.Dump(&slices).ok()) return absl::InvalidArgumentError("a message that cannot be read");
  absl::Cord cord;
  for (grpc::Slice& slice : slices) {
    const absl::string_view bytes(reinterpret_cast<const char*>(slice.begin()), slice.size());
    if (bytes.size() < kCopyBelow) {
      cord.Append(bytes);
    } else {
      cord.Append(absl::MakeCordFromExternal(bytes, [keep = std::move(slice)] {}));
    }
  }
  return cord;
}

}  // namespace mirrorfs
