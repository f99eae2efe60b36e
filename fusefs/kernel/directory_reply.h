// Names of a directory in the form that the kernel reads.
#ifndef MIRRORFS_FUSEFS_KERNEL_DIRECTORY_REPLY_H_
#define MIRRORFS_FUSEFS_KERNEL_DIRECTORY_REPLY_H_

#include <cstddef>
#include <cstdint>

#include "fusefs/kernel/request.h"
#include "protos/shared/ids.h"

namespace mirrorfs {

// Answers with as many names from `offset` on as fit into `size` bytes; `plus`: with their nodes and attributes.
void AnswerDirectory(Request& request, HandleId handle, uint64_t offset, size_t size, bool plus);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_DIRECTORY_REPLY_H_
