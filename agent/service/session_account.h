// What a session has the agent hold for it: requests and their answers until the client has taken them, answers that
// are remembered, open files.
#ifndef MIRRORFS_AGENT_SERVICE_SESSION_ACCOUNT_H_
#define MIRRORFS_AGENT_SERVICE_SESSION_ACCOUNT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "agent/service/budget.h"

namespace mirrorfs {

struct AgentBudgets {
  std::shared_ptr<Budget> memory;  // bytes
  std::shared_ptr<Budget> open_files;

  // For this process, by its limit of descriptors.
  static AgentBudgets Make();
};

class SessionAccount;

// A request that is in flight as long as this lives: until its answer is through to the client. Not thread-safe.
class InFlight {
 public:
  InFlight(std::shared_ptr<SessionAccount> account, size_t bytes) : account_(std::move(account)), bytes_(bytes) {}
  InFlight(const InFlight&) = delete;
  ~InFlight();

  // It has been answered, and only the answer is left of it.
  void Answered(size_t bytes);

 private:
  const std::shared_ptr<SessionAccount> account_;
  size_t bytes_;
  std::atomic<bool> answered_ = false;
};

// Thread-safe. Outlives the session as long as there are answers that its client has not taken.
class SessionAccount : public std::enable_shared_from_this<SessionAccount> {
 public:
  SessionAccount(const AgentBudgets& budgets, uint32_t max_in_flight)
      : max_in_flight_(max_in_flight), memory_(budgets.memory), open_files_(budgets.open_files) {}

  // Null: there are too many, or they and their answers would be too large.
  std::unique_ptr<InFlight> Enter(size_t request_bytes, size_t answer_bytes);
  // A place for one more open file, given back when it is let go. Null: there are too many.
  std::shared_ptr<void> OpenFile();

  Budget::Share& Memory() { return memory_; }

 private:
  friend class InFlight;

  const uint32_t max_in_flight_;
  Budget::Share memory_;
  Budget::Share open_files_;
  std::atomic<uint32_t> in_flight_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_SESSION_ACCOUNT_H_
