// The keeper's control socket: takes requests of its own user (and root), one JSON object a line, and answers each.
#ifndef MIRRORFS_LAUNCHER_KEEPER_CONTROL_SERVER_H_
#define MIRRORFS_LAUNCHER_KEEPER_CONTROL_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "launcher/keeper/event_loop.h"
#include "nlohmann/json.hpp"
#include "protos/shared/line_channel.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe: lives in its event loop.
class ControlServer {
 public:
  using Reply = std::function<void(const nlohmann::json&)>;  // may be called later; dropped if the client has gone
  using Handler = std::function<void(const nlohmann::json& request, Reply reply)>;

  ControlServer(EventLoop& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {}
  ControlServer(const ControlServer&) = delete;

  absl::Status Listen(const std::string& path);
  void Close();

 private:
  // More clients than that at once are turned away.
  static constexpr size_t kMaxClients = 64;

  void OnConnection();
  void OnInput(uint64_t client);
  void Drop(uint64_t client);
  void Answer(uint64_t client, const nlohmann::json& answer);

  EventLoop& loop_;
  const Handler handler_;
  UniqueFd listener_;
  std::map<uint64_t, LineChannel> clients_;
  uint64_t last_client_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_CONTROL_SERVER_H_
