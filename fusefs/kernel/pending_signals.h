// The signals that a thread has yet to see, from /proc.
#ifndef MIRRORFS_FUSEFS_KERNEL_PENDING_SIGNALS_H_
#define MIRRORFS_FUSEFS_KERNEL_PENDING_SIGNALS_H_

#include <sys/types.h>

#include <string_view>

namespace mirrorfs {

struct PendingSignals {
  bool killed = false;   // SIGKILL, or the thread is gone
  bool visible = false;  // one that would end or interrupt the program's system call
};

PendingSignals ReadPendingSignals(pid_t thread);

// The same from the text of /proc/TID/status.
PendingSignals ParsePendingSignals(std::string_view status);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_PENDING_SIGNALS_H_
