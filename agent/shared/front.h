// What callers of a shared agent meet: lets them in, and carries their streams to the agent of their container.
#ifndef MIRRORFS_AGENT_SHARED_FRONT_H_
#define MIRRORFS_AGENT_SHARED_FRONT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/shared/agent_table.h"
#include "agent/shared/authorizer.h"
#include "agent/shared/metrics.h"
#include "agent/shared/quota.h"
#include "agent/shared/shared_options.h"
#include "agent/shared/ticket_table.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/thread_pool.hpp"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// What a front is made of.
struct FrontParts {
  Authorizer authorizer;
  UniqueFd listener;        // a listening TCP socket
  std::string certificate;  // PEM
  std::string key;          // PEM
  // Is given each line of the audit (audit.h), in the front's thread.
  std::function<void(const std::string& line)> audit;
};

// What the connections of a front share. Not thread-safe, but for `authorizer`: lives in the front's thread.
struct FrontState {
  FrontState(boost::asio::io_context& context, const SharedOptions& options, FrontParts parts);

  boost::asio::io_context& context;
  const SharedOptions& options;
  const Authorizer authorizer;
  const std::function<void(const std::string& line)> audit;
  Metrics metrics;
  TicketTable tickets;
  Quota connections;
  AgentTable agents;
  size_t pending = 0;               // connections that nobody has been let in by yet
  boost::asio::thread_pool asking;  // the API server is asked in these
};

// Not thread-safe: lives in the thread of its context.
class Front {
 public:
  // `options` outlives the front.
  static absl::StatusOr<std::unique_ptr<Front>> Start(boost::asio::io_context& context, const SharedOptions& options,
                                                      FrontParts parts);
  // After its context has stopped.
  ~Front();

  const Metrics& metrics() const { return state_->metrics; }
  // Nobody is let in any more, and the containers' agents are asked to end.
  void End();

 private:
  Front(boost::asio::io_context& context, boost::asio::ssl::context tls, std::shared_ptr<FrontState> state);
  void Accept();

  boost::asio::ssl::context tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<FrontState> state_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_FRONT_H_
