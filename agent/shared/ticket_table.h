// What stands for a caller who has been let in: a secret for the next streams of the same mount.
#ifndef MIRRORFS_AGENT_SHARED_TICKET_TABLE_H_
#define MIRRORFS_AGENT_SHARED_TICKET_TABLE_H_

#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace mirrorfs {

// One child agent serves one of these: nobody shares one with another user.
struct AgentKey {
  std::string user;
  std::string container_id;
  bool read_write = false;

  auto operator<=>(const AgentKey&) const = default;
};

// Not thread-safe.
class TicketTable {
 public:
  explicit TicketTable(absl::Duration life, std::function<absl::Time()> now = absl::Now)
      : life_(life), now_(std::move(now)) {}

  absl::Duration life() const { return life_; }

  // A new ticket for that user, container and mode, and nothing else.
  absl::StatusOr<std::string> Issue(const AgentKey& key);
  // Nothing if it was never issued, or its life is over. Tickets are looked up by their digests: how long it takes says
  // nothing about those that exist.
  std::optional<AgentKey> Find(const std::string& ticket) const;

 private:
  struct Grant {
    AgentKey key;
    absl::Time until;
  };
  void ForgetEnded();

  const absl::Duration life_;
  const std::function<absl::Time()> now_;
  std::map<std::string, Grant> grants_;  // by the ticket's SHA-256
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_TICKET_TABLE_H_
