// The local end of a tunnel: the socket that the daemon connects to, as if an agent listened there.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_SERVER_H_
#define MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_SERVER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/tunnel/carrier.h"

namespace mirrorfs {

// Not thread-safe: lives in its event loop.
class TunnelServer {
 public:
  // Listens at the path (mode 0600; the directory is the caller's alone), in place of a socket that is left there, and
  // gives each connection to the carrier.
  static absl::StatusOr<std::unique_ptr<TunnelServer>> Listen(EventLoop& loop, const std::string& path,
                                                              Carrier& carrier);
  TunnelServer(const TunnelServer&) = delete;
  ~TunnelServer();  // removes the socket

 private:
  TunnelServer(EventLoop& loop, std::string path, UniqueFd socket, Carrier& carrier)
      : loop_(loop), path_(std::move(path)), socket_(std::move(socket)), carrier_(carrier) {}
  void OnConnection();

  EventLoop& loop_;
  const std::string path_;
  const UniqueFd socket_;
  Carrier& carrier_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_TUNNEL_SERVER_H_
