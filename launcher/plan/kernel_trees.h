// The kernel's own trees.
#ifndef MIRRORFS_LAUNCHER_PLAN_KERNEL_TREES_H_
#define MIRRORFS_LAUNCHER_PLAN_KERNEL_TREES_H_

#include <array>
#include <string_view>

namespace mirrorfs {

// Every machine and every container has them of its own. Not even a rule that reaches into them makes these the
// container's: the agent shows nothing of a pseudo file system, and what a program needs of them is about itself.
inline constexpr std::array<std::string_view, 3> kKernelTrees = {"/proc", "/sys", "/dev"};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_KERNEL_TREES_H_
