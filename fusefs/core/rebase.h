// Where a container's symbolic links must point so that following them stays inside the mount.
#ifndef MIRRORFS_FUSEFS_CORE_REBASE_H_
#define MIRRORFS_FUSEFS_CORE_REBASE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace mirrorfs {

// `target` as the container has it; `depth`: how many directories below the mount's root the link's directory is
// (0: the link lies in the root). Absolute targets become relative ones that climb to the root; ".." that would climb
// above the root stay there, as they do in the container. Other targets come back as they are.
std::string RebaseLink(std::string_view target, size_t depth);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_REBASE_H_
