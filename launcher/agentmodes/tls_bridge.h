// Carries connections of this machine over TLS to the agent. The daemon speaks plainly and knows no secret; what leaves
// this machine is encrypted, and both ends have proved who they are.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_TLS_BRIDGE_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_TLS_BRIDGE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/statusor.h"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ssl/context.hpp"
#include "protos/certificates/certificates.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Thread-safe. Has one thread, in which all of its callbacks run; they must not block.
class TlsBridge {
 public:
  static constexpr std::chrono::seconds kHandshakeLimit{3};

  // What is said over TLS before anything is copied.
  struct Preface {
    std::string line;  // without its end; empty: nothing is said, nothing is waited for
    // Given the agent's line. False: the connection is closed.
    std::function<bool(std::string_view answer)> accept;
    // Told in a few words if it does not come to that: the agent did not show its certificate, or broke off.
    std::function<void(std::string_view why)> failed;
  };

  // `own`, if there is one, is shown to the agent; the agent must show exactly `agent_certificate` (PEM). TLS 1.3 only.
  static absl::StatusOr<std::unique_ptr<TlsBridge>> Start(const std::optional<KeyAndCertificate>& own,
                                                          const std::string& agent_certificate);
  // Breaks all connections.
  ~TlsBridge();

  // Copies between `plain` and TLS over `transport` (stream sockets both) until either is over, then closes both at
  // once: an end is not passed on as an end, since what carried the bytes may have lost the last of them.
  // `stalled` is called if the agent does not answer within kHandshakeLimit.
  void Join(
      UniqueFd plain, UniqueFd transport, Preface preface = {}, std::function<void()> stalled = [] {});

  // Nothing is carried from now on.
  void Stop();

  // For what else is to happen in the bridge's thread.
  boost::asio::io_context& context() { return context_; }

 private:
  explicit TlsBridge(boost::asio::ssl::context tls);

  boost::asio::ssl::context tls_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_;
  std::thread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_TLS_BRIDGE_H_
