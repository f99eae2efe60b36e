// The agent's gRPC server: serves one container's files to the sessions that attach.
#ifndef MIRRORFS_AGENT_SERVICE_AGENT_SERVER_H_
#define MIRRORFS_AGENT_SERVICE_AGENT_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/target/target.h"
#include "protos/rootfs/rooted_filesystem.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct AgentServerOptions {
  std::string version;
  std::string target_name;  // as the agent was started with, e.g. docker/web
  // The most that a session may have.
  bool read_write = false;
  bool devices = false;
  bool allow_container = true;
  bool allow_caller = true;
  bool allow_fixed = true;
  std::string token;  // asked of every client; empty: none
  // Instead of the token: its SHA-256 in hexadecimal digits, so that the agent can be started without any secret.
  std::string token_sha256;
  // PEM texts. With a certificate the server speaks TLS 1.3, and with client_ca it asks for a certificate signed by it.
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_client_ca;
  absl::Duration lease = absl::Seconds(30);
  size_t max_sessions = 64;
  size_t max_workers = 64;
  size_t max_workers_per_device = 16;
  // Told of sessions that begin, end or are refused. Called from any thread.
  std::function<void(std::string_view)> log;
  using MakeFilesystem = absl::StatusOr<std::unique_ptr<RootedFilesystem>>(RootedFilesystemOptions);
  std::function<MakeFilesystem> make_filesystem = [](RootedFilesystemOptions options) {
    return RootedFilesystem::Create(std::move(options));
  };
};

// Thread-safe.
class AgentServer {
 public:
  virtual ~AgentServer() = default;  // stops, and waits for what runs

  // Takes connections from `listener`, a listening stream socket (unix or TCP). `target` outlives the server.
  static absl::StatusOr<std::unique_ptr<AgentServer>> Start(const Target& target, AgentServerOptions options,
                                                            UniqueFd listener);

  virtual size_t SessionCount() const = 0;
  // Since when there has been no session; InfiniteFuture while there are any.
  virtual absl::Time IdleSince() const = 0;
  // Takes no more connections, refuses what waits. Running calls go on.
  virtual void Stop() = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_AGENT_SERVER_H_
