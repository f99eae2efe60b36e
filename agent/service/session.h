// One client's session: its view of the container, what it has been answered, and when it was last heard of.
#ifndef MIRRORFS_AGENT_SERVICE_SESSION_H_
#define MIRRORFS_AGENT_SERVICE_SESSION_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/service/reply_memory.h"
#include "agent/service/session_account.h"
#include "protos/rootfs/rooted_filesystem.h"

namespace mirrorfs {

enum class SessionId : uint64_t { kNone = 0 };

// What a session is. A client resumes one only with the same.
struct SessionTerms {
  IdentityKind identity = IdentityKind::kContainer;
  uint32_t uid = 0;
  uint32_t gid = 0;
  bool read_write = false;
  bool devices = false;
  bool operator==(const SessionTerms&) const = default;
};

struct SessionLimits {
  uint32_t max_read = 1 << 20;
  uint32_t max_write = 1 << 20;
  uint32_t max_page = 1 << 20;
  uint32_t max_in_flight = 256;
};

// Thread-safe.
class Session {
 public:
  Session(SessionId id, SessionTerms terms, SessionLimits limits, std::shared_ptr<SessionAccount> account,
          std::unique_ptr<RootedFilesystem> files)
      : id_(id),
        terms_(terms),
        limits_(limits),
        account_(std::move(account)),
        files_(std::move(files)),
        replies_(account_->Memory()) {}

  SessionId Id() const { return id_; }
  const SessionTerms& Terms() const { return terms_; }
  const SessionLimits& Limits() const { return limits_; }
  RootedFilesystem& Files() { return *files_; }
  ReplyMemory& Replies() { return replies_; }
  SessionAccount& Account() { return *account_; }

  void Touch() { last_heard_.store(absl::ToUnixNanos(absl::Now()), std::memory_order_relaxed); }
  absl::Time LastHeard() const { return absl::FromUnixNanos(last_heard_.load(std::memory_order_relaxed)); }

  // After its end nothing new is begun; what runs goes on, and the last of it frees all.
  void End() { ended_ = true; }
  bool Ended() const { return ended_; }

 private:
  const SessionId id_;
  const SessionTerms terms_;
  const SessionLimits limits_;
  const std::shared_ptr<SessionAccount> account_;
  const std::unique_ptr<RootedFilesystem> files_;
  ReplyMemory replies_;
  std::atomic<int64_t> last_heard_ = absl::ToUnixNanos(absl::Now());
  std::atomic<bool> ended_ = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_SESSION_H_
