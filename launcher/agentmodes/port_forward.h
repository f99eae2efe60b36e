// Streams by `kubectl port-forward`: the fastest way, where it is permitted.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_PORT_FORWARD_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_PORT_FORWARD_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "boost/asio/io_context.hpp"
#include "launcher/agentmodes/transport.h"

namespace mirrorfs {

struct PortForwardOptions {
  // argv of kubectl up to the port: "kubectl", ..., "port-forward", "pod/x"; ":PORT" is added.
  std::vector<std::string> command;
  // Connections are spread over so many programs, so that bulk data does not wait in one queue with all else. Each is
  // started when it is first needed.
  size_t programs = 4;
};

// A program that has ended is started again with the next connection, after a while that grows while it keeps failing.
// It listens on a port of this machine's loopback that the kernel chooses: who else connects to that gets as far as
// the agent's TLS.
class PortForwardTransport : public Transport {
 public:
  PortForwardTransport(boost::asio::io_context& context, PortForwardOptions options);
  // After its context has stopped.
  ~PortForwardTransport() override;

  void Connect(int port, Connected connected) override;

 private:
  class Program;

  boost::asio::io_context& context_;
  const PortForwardOptions options_;
  std::vector<std::shared_ptr<Program>> programs_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_PORT_FORWARD_H_
