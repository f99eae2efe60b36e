// What is said about a large file that is being copied to the private layer, while the program waits for it.
#ifndef MIRRORFS_LAUNCHER_KEEPER_COPY_LINE_H_
#define MIRRORFS_LAUNCHER_KEEPER_COPY_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace mirrorfs {

struct CopyStep {
  std::string path;  // in the view
  uint64_t done = 0;
  uint64_t size = 0;  // bytes, both
  bool over = false;  // that was all, or it has failed
};

// "copying /path to the private layer: 120 of 1024 MiB", in at most `width` bytes if that leaves something of the path:
// its beginning goes first.
std::string CopyLine(const CopyStep& step, size_t width);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_COPY_LINE_H_
