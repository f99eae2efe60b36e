// The session that there is with an agent right now, and how the next one is made when it is lost.
#ifndef MIRRORFS_FUSEFS_REMOTE_SESSION_LINK_H_
#define MIRRORFS_FUSEFS_REMOTE_SESSION_LINK_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <stop_token>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fusefs/remote/call_counters.h"
#include "fusefs/remote/channels.h"
#include "fusefs/remote/generation.h"
#include "fusefs/remote/handle_ledger.h"
#include "fusefs/remote/node_ledger.h"
#include "fusefs/remote/remote_session.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe. What is given to it outlives it.
class SessionLink {
 public:
  struct Session {
    uint64_t id = 0;
    Generation generation = Generation::kNone;
  };

  SessionLink(const RemoteSessionOptions& options, Channels& channels, NodeLedger& nodes, HandleLedger& handles,
              CallCounters& counters)
      : options_(options), channels_(channels), nodes_(nodes), handles_(handles), counters_(counters) {}

  // The first session. Messages are for a person.
  absl::Status Begin();
  const SessionFacts& Facts() const { return facts_; }  // after Begin
  absl::Duration Lease() const { return lease_; }

  // The present session; waits while another thread makes one. ETIMEDOUT, EINTR.
  absl::StatusOr<Session> Present(absl::Time deadline, const std::stop_token& stop);
  // Makes a new session in place of the one that `lost` names, and hands over nodes and handles; nothing to do if that
  // has been done. If the agent serves another container now: EHOSTDOWN; or, where the options say so, the session
  // is about that one's root, and whatever is held of the former one is ESTALE.
  absl::Status Renew(Generation lost, absl::Time deadline, const std::stop_token& stop);

  // The agent has answered.
  void HeardOf() { last_heard_.store(absl::ToUnixNanos(absl::Now()), std::memory_order_relaxed); }
  absl::Time LastHeard() const { return absl::FromUnixNanos(last_heard_.load(std::memory_order_relaxed)); }
  // A call that was begun then has waited for a whole deadline.
  void NoteSilence(absl::Time since) {
    const int64_t heard = last_heard_.load(std::memory_order_relaxed);
    if (heard < absl::ToUnixNanos(since)) silent_after_.store(heard, std::memory_order_relaxed);
  }
  // Nothing has been heard since such a call.
  bool IsSilent() const {
    return silent_after_.load(std::memory_order_relaxed) == last_heard_.load(std::memory_order_relaxed);
  }

  // `when` on the agent's clock, rather too early than too late; 0: no limit.
  uint64_t OnAgentClock(absl::Time when) const;
  void SetAgentClock(uint64_t agent_clock_ns);

 private:
  absl::StatusOr<v1::AttachReply> Attach(absl::Time deadline, const std::stop_token& stop, bool wait_for_agent,
                                         bool again);
  absl::Status Take(const v1::AttachReply& reply);
  absl::StatusOr<Entry> CheckRoot(const v1::AttachReply& reply) const;
  absl::Status MakeNew(absl::Time deadline, const std::stop_token& stop);
  absl::Status HandOver(uint64_t session, Generation next, absl::Time deadline, const std::stop_token& stop);
  absl::Status Move(uint64_t session, Generation next, absl::Time deadline, const std::stop_token& stop);
  absl::Status Reclaim(v1::ReclaimRequest& request, absl::Time deadline, const std::stop_token& stop);

  const RemoteSessionOptions& options_;
  Channels& channels_;
  NodeLedger& nodes_;
  HandleLedger& handles_;
  CallCounters& counters_;
  SessionFacts facts_;
  std::string root_identity_;          // of the present root; touched by the one thread that begins or renews
  NodeId nodes_from_ = NodeId::kRoot;  // likewise: lower ids may be nodes of former roots
  absl::Duration lease_;
  std::atomic<int64_t> last_heard_ = 0;
  std::atomic<int64_t> silent_after_ = -1;       // what was last heard before a silence
  std::atomic<int64_t> agent_clock_offset_ = 0;  // what the agent's clock is ahead of ours

  Mutex mutex_;
  std::condition_variable changed_;
  Session session_ ABSL_GUARDED_BY(mutex_);
  bool renewing_ ABSL_GUARDED_BY(mutex_) = false;
  // The last generation handed to the ledgers; ahead of session_ when a hand-over failed half-way.
  Generation last_generation_ ABSL_GUARDED_BY(mutex_) = Generation::kNone;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_SESSION_LINK_H_
