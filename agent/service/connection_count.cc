#include "agent/service/connection_count.h"

#include <sys/stat.h>

namespace mirrorfs {
namespace {

// 0: it is not open.
ino_t InodeOf(int socket) {
  struct stat status = {};
  return ::fstat(socket, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

void ConnectionCount::Add(int socket) { known_.push_back({socket, InodeOf(socket)}); }

size_t ConnectionCount::CountOpen() {
  std::erase_if(known_, [](const Known& known) { return InodeOf(known.number) != known.inode; });
  return known_.size();
}

}  // namespace mirrorfs
