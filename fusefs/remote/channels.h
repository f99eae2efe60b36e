// The connections to an agent: one for small calls, and some for bulk data, so that a stat never waits behind
// megabytes.
#ifndef MIRRORFS_FUSEFS_REMOTE_CHANNELS_H_
#define MIRRORFS_FUSEFS_REMOTE_CHANNELS_H_

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <array>
#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "fusefs/remote/remote_session.h"
#include "mirrorfs/v1/filesystem.grpc.pb.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// The connections that are in use at a time.
class Line {
 public:
  v1::FileSystem::Stub& Stub() { return *stub_; }
  grpc::Channel& Small() { return *small_; }
  grpc::Channel& Bulk() { return *bulk_[next_bulk_.fetch_add(1, std::memory_order_relaxed) % bulk_.size()]; }
  // Asked to stop when the line is not in use any more: no answer will come over it.
  std::stop_token GivenUp() const { return given_up_.get_token(); }

 private:
  friend class Channels;
  static constexpr size_t kBulkChannels = 3;

  std::shared_ptr<grpc::Channel> small_;
  std::unique_ptr<v1::FileSystem::Stub> stub_;
  std::array<std::shared_ptr<grpc::Channel>, kBulkChannels> bulk_;
  std::atomic<uint32_t> next_bulk_ = 0;
  std::stop_source given_up_;
};

// Thread-safe.
class Channels {
 public:
  // Does not connect yet. INVALID_ARGUMENT if the endpoint must not be used without TLS.
  static absl::StatusOr<std::unique_ptr<Channels>> Create(const RemoteSessionOptions& options);

  std::shared_ptr<Line> Present() const {
    MutexLock lock(mutex_);
    return line_;
  }
  // Gives the present ones up.
  void MakeAnew();

 private:
  std::shared_ptr<Line> Make() const;

  std::string endpoint_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  mutable Mutex mutex_;  // innermost
  std::shared_ptr<Line> line_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_CHANNELS_H_
