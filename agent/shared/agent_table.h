// The container agents of a front: started when somebody needs one, ended when nobody has for a while.
#ifndef MIRRORFS_AGENT_SHARED_AGENT_TABLE_H_
#define MIRRORFS_AGENT_SHARED_AGENT_TABLE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/shared/container_agent.h"
#include "agent/shared/metrics.h"
#include "agent/shared/quota.h"
#include "agent/shared/shared_options.h"
#include "agent/shared/ticket_table.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/steady_timer.hpp"

namespace mirrorfs {

// Not thread-safe: lives in the thread of its context, and outlives it.
class AgentTable {
 public:
  // While one is held, its agent is not ended for want of use.
  using Use = std::shared_ptr<ContainerAgent>;

  AgentTable(boost::asio::io_context& context, const SharedOptions& options, Metrics& metrics);
  AgentTable(const AgentTable&) = delete;

  // RESOURCE_EXHAUSTED: the user has as many as he may.
  absl::StatusOr<Use> Get(const AgentKey& key);

  // All of them are asked to end.
  void EndAll();

 private:
  struct Entry {
    std::shared_ptr<ContainerAgent> agent;
    Quota::Slot slot;
    std::unique_ptr<boost::asio::steady_timer> idle;
    size_t uses = 0;
    uint64_t number = 0;
  };

  absl::StatusOr<Entry*> StartFor(const AgentKey& key);
  void GiveBack(const AgentKey& key, uint64_t number);
  void Forget(const AgentKey& key, uint64_t number);
  std::vector<std::string> CommandFor(const AgentKey& key, const std::string& socket) const;

  boost::asio::io_context& context_;
  const SharedOptions& options_;
  Metrics& metrics_;
  Quota quota_;
  uint64_t next_number_ = 1;
  std::map<AgentKey, Entry> entries_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_AGENT_TABLE_H_
