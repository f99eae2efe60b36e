// The connections to an agent: one for small calls, and some for bulk data, so that a stat never waits behind
// megabytes.
#ifndef MIRRORFS_FUSEFS_REMOTE_CHANNELS_H_
#define MIRRORFS_FUSEFS_REMOTE_CHANNELS_H_

#include <grpcpp/channel.h>

#include <array>
#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "fusefs/remote/remote_session.h"
#include "mirrorfs/v1/filesystem.grpc.pb.h"

namespace mirrorfs {

// Thread-safe.
class Channels {
 public:
  // Does not connect yet. INVALID_ARGUMENT if the endpoint must not be used without TLS.
  static absl::StatusOr<std::unique_ptr<Channels>> Create(const RemoteSessionOptions& options);

  v1::FileSystem::Stub& Stub() { return *stub_; }
  grpc::Channel& Small() { return *small_; }
  grpc::Channel& Bulk() { return *bulk_[next_bulk_.fetch_add(1, std::memory_order_relaxed) % bulk_.size()]; }

 private:
  static constexpr size_t kBulkChannels = 3;

  std::shared_ptr<grpc::Channel> small_;
  std::unique_ptr<v1::FileSystem::Stub> stub_;
  std::array<std::shared_ptr<grpc::Channel>, kBulkChannels> bulk_;
  std::atomic<uint32_t> next_bulk_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_CHANNELS_H_
