// The rights of one thread, for the length of a scope.
#ifndef MIRRORFS_TESTS_NATIVE_ACT_AS_H_
#define MIRRORFS_TESTS_NATIVE_ACT_AS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "protos/shared/file_system.h"

namespace mirrorfs {

// File system ids and groups of the calling thread alone. The kernel drops the capabilities that concern files when
// the file system uid leaves 0, and gives them back afterwards.
class ActAs {
 public:
  // Absent: the thread stays who it is.
  explicit ActAs(const std::optional<Caller>& who);
  ~ActAs();
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;

 private:
  const bool active_;
  std::vector<gid_t> groups_;
};

// The umask of the calling thread alone, for the length of a scope.
class WithUmask {
 public:
  explicit WithUmask(uint32_t mask);
  ~WithUmask();
  WithUmask(const WithUmask&) = delete;
  WithUmask& operator=(const WithUmask&) = delete;

 private:
  mode_t previous_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_NATIVE_ACT_AS_H_
