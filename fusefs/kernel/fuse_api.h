// libfuse, in the version of its interface that this folder is written for.
#ifndef MIRRORFS_FUSEFS_KERNEL_FUSE_API_H_
#define MIRRORFS_FUSEFS_KERNEL_FUSE_API_H_

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#endif  // MIRRORFS_FUSEFS_KERNEL_FUSE_API_H_
