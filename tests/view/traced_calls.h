// A child process whose system calls are stopped at: those that change files are counted, and one of them is where it
// is killed, fails or waits.
#ifndef MIRRORFS_TESTS_VIEW_TRACED_CALLS_H_
#define MIRRORFS_TESTS_VIEW_TRACED_CALLS_H_

#include <sys/types.h>
#include <sys/user.h>

#include <functional>

namespace mirrorfs {

// For the child, in the thread whose calls are meant, before the first of them.
void BeTraced();

bool ChangesFiles(const user_regs_struct& call);

// Ends the child before the call that changes files number `calls`, counted from 0. False: it has ended before.
bool KillAtCall(pid_t child, int calls);

// That call is not made and gives `error`; the child goes on to its end, and `status` is how it ended. False: it has
// ended before.
bool FailAtCall(pid_t child, int calls, int error, int& status);

// Runs the child to its end; `look` hears of each call before it is made, while the child stands still.
void WatchCalls(pid_t child, const std::function<void(const user_regs_struct& call)>& look);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_VIEW_TRACED_CALLS_H_
