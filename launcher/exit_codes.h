// What `mirrorfs` returns to its caller. Documented in docs/exit-codes.md: change both.
#ifndef MIRRORFS_LAUNCHER_EXIT_CODES_H_
#define MIRRORFS_LAUNCHER_EXIT_CODES_H_

namespace mirrorfs {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,        // something else went wrong: the message says what
  kUsage = 2,         // the command line is wrong
  kNoTarget = 3,      // no such container, it is not running, or several match
  kNotPermitted = 4,  // rights are missing: root, the runtime's socket, /dev/fuse, a token
  kMountPoint = 5,    // the mount point is missing, no directory, occupied or not yours; or FUSE cannot be had
  kUnreachable = 6,   // agent or daemon failed, does not answer, or speaks another version
  kBusy = 7,          // programs use the mount
  kNotMounted = 8,    // umount, stats, logs: nothing of mirrorfs is mounted there
  // apply, diff -p and explain, ended by a signal: 128 and its number, as shells say it
  kHungUp = 129,
  kInterrupted = 130,
  kTerminated = 143,
  kCannotRun = 126,  // exec: the program was found and cannot be run; as shells and env(1) say it
  kNoProgram = 127,  // exec: there is no such program
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_EXIT_CODES_H_
