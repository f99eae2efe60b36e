#include "tests/wire/in_process_agent.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A directory as a target, with this process's own rights.
class DirectoryTarget : public Target {
 public:
  explicit DirectoryTarget(std::string directory)
      : directory_(std::move(directory)), description_("dir:" + directory_) {
    credentials_.uid = geteuid();
    credentials_.gid = getegid();
    if (geteuid() == 0) credentials_.capabilities = ~uint64_t{0} >> 23;  // all 41
  }

  const std::string& Description() const override { return description_; }
  absl::StatusOr<UniqueFd> OpenRoot() const override {
    UniqueFd root(open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return LastErrno(directory_);
    return root;
  }
  bool Alive() const override { return alive_; }
  const Credentials& ProcessCredentials() const override { return credentials_; }
  const IdMap& Uids() const override { return ids_; }
  const IdMap& Gids() const override { return ids_; }

  void SetAlive(bool alive) { alive_ = alive; }

 private:
  const std::string directory_;
  const std::string description_;
  Credentials credentials_;
  IdMap ids_;
  std::atomic<bool> alive_ = true;
};

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
