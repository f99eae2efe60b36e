// Takes connections from a listening socket and hands them on. The socket is bound before the agent gives up its
// privileges, gRPC's threads are made after: so gRPC does not listen itself.
#ifndef MIRRORFS_AGENT_SERVICE_ACCEPTOR_H_
#define MIRRORFS_AGENT_SERVICE_ACCEPTOR_H_

#include <functional>
#include <thread>

#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

class Acceptor {
 public:
  using Accept = std::function<void(int listener, UniqueFd connection)>;

  static absl::StatusOr<std::unique_ptr<Acceptor>> Start(UniqueFd listener, Accept accept);
  // Closes the listener.
  ~Acceptor();

 private:
  Acceptor(UniqueFd listener, UniqueFd wake, Accept accept);
  void RunThread();

  const UniqueFd listener_;
  const UniqueFd wake_;
  const Accept accept_;
  std::thread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_ACCEPTOR_H_
