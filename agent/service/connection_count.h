// How many of the connections that were given to gRPC are still open: it does not say when one ends.
#ifndef MIRRORFS_AGENT_SERVICE_CONNECTION_COUNT_H_
#define MIRRORFS_AGENT_SERVICE_CONNECTION_COUNT_H_

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace mirrorfs {

// Not thread-safe.
class ConnectionCount {
 public:
  // A socket that is open now.
  void Add(int socket);
  size_t CountOpen();

 private:
  // A number that was closed, and is another file's by now, has another inode.
  struct Known {
    int number;
    ino_t inode;
  };
  std::vector<Known> known_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_CONNECTION_COUNT_H_
