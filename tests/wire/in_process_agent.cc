#include "tests/wire/in_process_agent.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "protos/shared/errno_status.h"
#include "tests/wire/directory_target.h"

namespace mirrorfs {
namespace {

absl::StatusOr<UniqueFd> ListenOn(const std::string& path) {
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return LastErrno("socket");
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  unlink(path.c_str());
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return LastErrno(path);
  if (listen(listener.get(), 64) != 0) return LastErrno("listen");
  return listener;
}

class InProcessAgentImpl : public InProcessAgent {
 public:
  InProcessAgentImpl(InProcessAgentOptions options, std::string socket_directory)
      : options_(std::move(options)),
        socket_directory_(std::move(socket_directory)),
        endpoint_("unix:" + SocketPath()),
        target_(options_.directory) {
    if (options_.server.version.empty()) options_.server.version = "test";
    if (options_.server.target_name.empty()) options_.server.target_name = target_.Description();
  }
  ~InProcessAgentImpl() override {
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(socket_directory_, ignored);
  }

  const std::string& Endpoint() const override { return endpoint_; }
  AgentServer& Server() override { return *server_; }
  void Stop() override { server_.reset(); }
  absl::Status Restart() override {
    server_.reset();
    ASSIGN_OR_RETURN(UniqueFd listener, ListenOn(SocketPath()));
    ASSIGN_OR_RETURN(server_, AgentServer::Start(target_, options_.server, std::move(listener)));
    return absl::OkStatus();
  }
  void SetTargetAlive(bool alive) override { target_.SetAlive(alive); }

 private:
  std::string SocketPath() const { return socket_directory_ + "/agent.sock"; }

  InProcessAgentOptions options_;
  const std::string socket_directory_;
  const std::string endpoint_;
  DirectoryTarget target_;
  std::unique_ptr<AgentServer> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<InProcessAgent>> InProcessAgent::Start(InProcessAgentOptions options) {
  char directory[] = "/tmp/mirrorfs-agent-XXXXXX";
  if (mkdtemp(directory) == nullptr) return LastErrno("mkdtemp");
  auto agent = std::make_unique<InProcessAgentImpl>(std::move(options), directory);
  RETURN_IF_ERROR(agent->Restart());
  return agent;
}

absl::StatusOr<std::unique_ptr<RemoteSession>> InProcessAgent::Connect(RemoteSessionOptions options) {
  options.endpoint = Endpoint();
  return RemoteSession::Connect(options);
}

}  // namespace mirrorfs
