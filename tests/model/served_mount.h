// A mount of a directory through everything there is: kernel, daemon, gRPC, agent; in a process of its own, because a
// process that maps files which it serves itself may wait for itself.
#ifndef MIRRORFS_TESTS_MODEL_SERVED_MOUNT_H_
#define MIRRORFS_TESTS_MODEL_SERVED_MOUNT_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace mirrorfs {

class ServedMount {
 public:
  // Forks: to be called before the process has threads. Gives the process a mount namespace of its own.
  static absl::StatusOr<std::unique_ptr<ServedMount>> Start(const std::string& directory,
                                                            const std::string& mountpoint);
  ~ServedMount() { Stop(); }
  // Unmounts and waits for the process. False if that did not end as it should.
  bool Stop();
  ServedMount(const ServedMount&) = delete;
  ServedMount& operator=(const ServedMount&) = delete;

 private:
  ServedMount(std::string mountpoint, pid_t server) : mountpoint_(std::move(mountpoint)), server_(server) {}

  const std::string mountpoint_;
  pid_t server_;  // 0: has ended
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_MODEL_SERVED_MOUNT_H_
