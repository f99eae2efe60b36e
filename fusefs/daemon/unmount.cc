#include "fusefs/daemon/unmount.h"

#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "spdlog/spdlog.h"

namespace mirrorfs {

void TakeBackMount(const std::string& mountpoint) {
  if (::umount2(mountpoint.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return;
  std::string name = "fusermount3";
  std::string options = "-uqz";
  std::string end = "--";
  std::string path = mountpoint;
  std::array<char*, 5> argv = {name.data(), options.data(), end.data(), path.data(), nullptr};
  pid_t pid = 0;
  if (::posix_spawnp(&pid, name.c_str(), nullptr, nullptr, argv.data(), environ) != 0) {
    spdlog::error("{} cannot be unmounted", mountpoint);
    return;
  }
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace mirrorfs
