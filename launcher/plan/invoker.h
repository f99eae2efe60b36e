// Who runs mirrorfs, and from where: everything that a plan depends on besides the command line.
#ifndef MIRRORFS_LAUNCHER_PLAN_INVOKER_H_
#define MIRRORFS_LAUNCHER_PLAN_INVOKER_H_

#include <cstdint>
#include <string>

namespace mirrorfs {

struct Invoker {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string working_directory;
  std::string executable_directory;  // where the mirrorfs binary lies
  std::string runtime_directory;     // $XDG_RUNTIME_DIR, empty if unset

  bool IsRoot() const { return uid == 0; }
};

// Of this process.
Invoker CurrentInvoker();

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_INVOKER_H_
