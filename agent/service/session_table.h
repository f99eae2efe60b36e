// The agent's sessions.
#ifndef MIRRORFS_AGENT_SERVICE_SESSION_TABLE_H_
#define MIRRORFS_AGENT_SERVICE_SESSION_TABLE_H_

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "agent/service/session.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe. Lock order: its lock is held while no other is taken.
class SessionTable {
 public:
  explicit SessionTable(size_t max_sessions = 64) : max_sessions_(max_sessions) {}

  // An id that cannot be guessed: knowing it is the right to use the session.
  static SessionId NewId();

  // False: there are too many.
  bool Add(std::shared_ptr<Session> session);
  std::shared_ptr<Session> Find(SessionId id) const;
  // Ends and returns it; null if there is none.
  std::shared_ptr<Session> Remove(SessionId id);
  // Ends and returns those that were last heard of before `then`.
  std::vector<std::shared_ptr<Session>> RemoveSilent(absl::Time then);
  size_t Size() const;
  // Since when there has been none; InfiniteFuture while there are any.
  absl::Time EmptySince() const;

 private:
  const size_t max_sessions_;
  mutable Mutex mutex_;
  absl::flat_hash_map<SessionId, std::shared_ptr<Session>> sessions_ ABSL_GUARDED_BY(mutex_);
  absl::Time empty_since_ ABSL_GUARDED_BY(mutex_) = absl::Now();
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_SESSION_TABLE_H_
