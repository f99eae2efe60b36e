#include "agent/shared/ticket_table.h"

#include <utility>

#include "protos/certificates/certificates.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// More than the sessions of a node need; who is crowded out comes back with his token.
constexpr size_t kMostTickets = 4096;

}  // namespace

absl::StatusOr<std::string> TicketTable::Issue(const AgentKey& key) {
  ForgetEnded();
  if (grants_.size() >= kMostTickets) grants_.erase(grants_.begin());
  ASSIGN_OR_RETURN(std::string ticket, MakeToken());
  grants_.insert_or_assign(Sha256Hex(ticket), Grant{.key = key, .until = now_() + life_});
  return ticket;
}

std::optional<AgentKey> TicketTable::Find(const std::string& ticket) const {
  const auto found = grants_.find(Sha256Hex(ticket));
  if (found == grants_.end() || found->second.until <= now_()) return std::nullopt;
  return found->second.key;
}

void TicketTable::ForgetEnded() {
  std::erase_if(grants_, [now = now_()](const auto& entry) { return entry.second.until <= now; });
}

}  // namespace mirrorfs
