// Streams by `kubectl exec -i POD -- /mirrorfs-agent relay 127.0.0.1:PORT`, where port-forward is not permitted.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_RELAY_TRANSPORT_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_RELAY_TRANSPORT_H_

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

#include "boost/asio/io_context.hpp"
#include "boost/asio/steady_timer.hpp"
#include "launcher/agentmodes/transport.h"

namespace mirrorfs {

class RelayTransport : public Transport {
 public:
  // argv up to the address: "kubectl", ..., "exec", "-i", "pod/x", "-c", "agent", "--", "/mirrorfs-agent", "relay".
  // `protocol`: of exec_protocol.h.
  RelayTransport(boost::asio::io_context& context, std::vector<std::string> command, std::string protocol);
  // After its context has stopped.
  ~RelayTransport() override;

  void Connect(int port, Connected connected) override;

 private:
  void ReapEnded();

  const std::vector<std::string> command_;
  const std::string protocol_;
  boost::asio::steady_timer timer_;
  std::set<pid_t> running_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_RELAY_TRANSPORT_H_
