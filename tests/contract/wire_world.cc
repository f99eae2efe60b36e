// The daemon's gRPC client over a unix socket to an agent's service in this process.
#include <cstdio>
#include <cstdlib>

#include "tests/contract/world.h"
#include "tests/wire/in_process_agent.h"

namespace mirrorfs {
namespace {

RemoteSessionOptions ToSessionOptions(const WorldOptions& options) {
  RemoteSessionOptions session;
  session.read_write = options.read_write;
  session.devices = options.devices;
  session.identity = options.caller ? SessionIdentity::kCaller
                     : options.user ? SessionIdentity::kFixed
                                    : SessionIdentity::kContainer;
  if (options.user) {
    session.uid = options.user->uid;
    session.gid = options.user->gid;
  }
  return session;
}

InProcessAgentOptions ToAgentOptions(const std::string& directory, const WorldOptions& options) {
  InProcessAgentOptions agent;
  agent.directory = directory;
  agent.server.make_filesystem = [size = options.fd_cache_size](RootedFilesystemOptions rooted) {
    rooted.fd_cache_size = size;
    return RootedFilesystem::Create(std::move(rooted));
  };
  return agent;
}

template <typename T>
T OrAbort(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  fprintf(stderr, "no session: %s\n", result.status().ToString().c_str());
  abort();
}

class WireWorld : public World {
 public:
  WireWorld(const std::string& directory, const WorldOptions& options)
      : agent_(OrAbort(InProcessAgent::Start(ToAgentOptions(directory, options)))),
        session_(OrAbort(agent_->Connect(ToSessionOptions(options)))) {}

  FileSystem& Files() override { return session_->Files(); }
  Entry Root() override { return session_->Facts().root; }
  bool ThroughKernel() const override { return false; }
  bool TellsAfterwards() const override { return true; }

 private:
  const std::unique_ptr<InProcessAgent> agent_;
  const std::unique_ptr<RemoteSession> session_;
};

}  // namespace

std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options) {
  return std::make_unique<WireWorld>(directory, options);
}

}  // namespace mirrorfs
