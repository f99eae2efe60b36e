// What is agreed with the kernel when a mount begins, and what is told to it unasked.
#ifndef MIRRORFS_FUSEFS_KERNEL_CONNECTION_H_
#define MIRRORFS_FUSEFS_KERNEL_CONNECTION_H_

#include "fusefs/kernel/edge.h"
#include "fusefs/kernel/fuse_api.h"

namespace mirrorfs {

// Chooses the capabilities of the connection (docs/adr has the reasons).
void IntroduceToKernel(Edge& edge, fuse_conn_info& connection);

// Makes the kernel look up every name again before it uses it. Takes no locks of the kernel's: safe at any time.
void ExpireKernelNames(int fuse_fd);

// Lets the kernel read ahead by as much as one request carries. Root only; without it, large reads are just slower.
// Takes effect once the kernel has been introduced.
void RaiseKernelReadAhead(const std::string& mountpoint);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_CONNECTION_H_
