// The table of functions that libfuse calls.
#ifndef MIRRORFS_FUSEFS_KERNEL_OPERATIONS_H_
#define MIRRORFS_FUSEFS_KERNEL_OPERATIONS_H_

#include "fusefs/kernel/fuse_api.h"

namespace mirrorfs {

// All are called with an Edge as user data.
const fuse_lowlevel_ops& Operations();

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_OPERATIONS_H_
