// Stands between a client and an agent on unix sockets, and breaks the connection when it is told to.
#ifndef MIRRORFS_TESTS_WIRE_BREAKABLE_PROXY_H_
#define MIRRORFS_TESTS_WIRE_BREAKABLE_PROXY_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Thread-safe.
class BreakableProxy {
 public:
  // Listens at `path`, and connects to `agent_path` for every client.
  BreakableProxy(std::string path, std::string agent_path);
  ~BreakableProxy();

  std::string Endpoint() const { return "unix:" + path_; }
  // From now on what the agent sends is thrown away.
  void DropReplies() { drop_replies_ = true; }
  // Ends all connections; those that come after them are whole.
  void Cut();
  // Nothing passes, either way, and nothing is ended, until Thaw.
  void Freeze() { frozen_ = true; }
  void Thaw() { frozen_ = false; }
  // The same for the connections that there are now, for ever; those that come after them are whole.
  void Stall();

 private:
  struct Pair {
    UniqueFd client;
    UniqueFd agent;
    std::atomic<bool> over = false;
    std::atomic<bool> stalled = false;
  };

  void Accept();
  void Carry(Pair& pair);
  bool Pass(int from, int to, bool drop);

  const std::string path_;
  const std::string agent_path_;
  std::atomic<bool> drop_replies_ = false;
  std::atomic<bool> frozen_ = false;
  std::atomic<bool> stopped_ = false;
  UniqueFd listener_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Pair>> pairs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> carriers_ ABSL_GUARDED_BY(mutex_);
  std::thread accepting_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_BREAKABLE_PROXY_H_
