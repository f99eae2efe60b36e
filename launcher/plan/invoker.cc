#include "launcher/plan/invoker.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace mirrorfs {

Invoker CurrentInvoker() {
  std::error_code ignored;  // an empty path then, which no file is found under
  const char* runtime_directory = std::getenv("XDG_RUNTIME_DIR");
  return Invoker{
      .uid = ::geteuid(),
      .gid = ::getegid(),
      .working_directory = std::filesystem::current_path(ignored).string(),
      .executable_directory = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().string(),
      .runtime_directory = runtime_directory == nullptr ? "" : runtime_directory,
  };
}

}  // namespace mirrorfs
