// What a case is written with: system calls that log what was asked and what came of it.
//
// A case runs in a process of its own whose working directory is the case's; paths are relative to it. Each call logs
// one line "call(arguments) = result", where the result is "ok", a value, or the name of an errno, and returns what
// the system call returned. Nothing that differs between two equal file systems is logged: no fd numbers, inode
// numbers, device numbers or times of day.
#ifndef MIRRORFS_TESTS_CONFORMANCE_BOX_H_
#define MIRRORFS_TESTS_CONFORMANCE_BOX_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/trace.h"

namespace mirrorfs::conformance {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};
};

// Times of a file, to tell later which of them moved.
struct Stamp {
  timespec mtime;
  timespec ctime;
};

// One step of a play of several processes.
struct Step {
  int actor;
  std::function<void()> act;
};

class Box {
 public:
  // `inside` is the case's directory by way of the container; empty if there is none. `merged`: directories may have a
  // lower layer. overlayfs counts the links of such a one as 1 from the first copy-up in it on; a mount may show the
  // old number for as long as it keeps attributes, so they are left out.
  Box(Trace& trace, std::string inside, bool merged) : trace_(trace), inside_(std::move(inside)), merged_(merged) {}

  void Note(std::string_view text) { trace_.Line(std::string(prefix_).append(text)); }
  // Logs `call = ok`, or the errno if result is -1.
  long Report(std::string_view call, long result);
  // The same, with the value in place of "ok".
  long ReportValue(std::string_view call, long result);
  // Logs `what: yes` or `no`.
  bool Check(std::string_view what, bool answer);

  // --- box_names.cc: the tree
  int Mkdir(const std::string& path, mode_t mode = 0755);
  int Rmdir(const std::string& path);
  int Unlink(const std::string& path);
  int Rename(const std::string& from, const std::string& to, unsigned flags = 0);
  int Link(const std::string& from, const std::string& to, int flags = 0);
  int Symlink(const std::string& target, const std::string& path);
  std::string Readlink(const std::string& path, size_t size = 4096);
  int Mknod(const std::string& path, mode_t mode, dev_t device = 0);
  // Names and types, sorted.
  void List(const std::string& path);
  // The same, unsorted, without logging.
  std::vector<std::string> Names(const std::string& path);
  int Chdir(const std::string& path);
  int Statfs(const std::string& path);

  // --- box_attributes.cc
  // Type, permissions, owner, links, size, device; times that were set explicitly (before 2020 or after 2200).
  void Show(const std::string& path);
  void ShowFollow(const std::string& path);
  void ShowFd(int fd);
  void ShowBlocks(const std::string& path);
  void ShowTimes(const std::string& path);  // exact; only for times that the case has set
  bool SameFile(const std::string& a, const std::string& b);
  int Chmod(const std::string& path, mode_t mode);
  int Fchmod(int fd, mode_t mode);
  int Chown(const std::string& path, uid_t uid, gid_t gid);
  int Lchown(const std::string& path, uid_t uid, gid_t gid);
  int Fchown(int fd, uid_t uid, gid_t gid);
  int Truncate(const std::string& path, off_t size);
  int Ftruncate(int fd, off_t size);
  int Utimens(const std::string& path, timespec atime, timespec mtime, int flags = 0);
  int Futimens(int fd, timespec atime, timespec mtime);
  int Access(const std::string& path, int mode, int flags = 0);
  // Remembers the times and lets the clock tick, so that any later change shows.
  Stamp Before(const std::string& path);
  // Logs which of mtime and ctime have changed since.
  void After(const std::string& path, const Stamp& before);

  // --- box_xattrs.cc
  int Setxattr(const std::string& path, const std::string& name, std::string_view value, int flags = 0);
  std::string Getxattr(const std::string& path, const std::string& name, size_t size = 65536);
  void Listxattr(const std::string& path, size_t size = 65536);
  int Removexattr(const std::string& path, const std::string& name);
  // POSIX ACL given as text: "u::rwx,u:1000:r--,g::r-x,m::rwx,o::---".
  int SetAcl(const std::string& path, const std::string& type, const std::string& text);
  void ShowAcl(const std::string& path, const std::string& type);

  // --- box_io.cc: open files
  int Open(const std::string& path, int flags, mode_t mode = 0);
  int OpenAt(int directory, const std::string& path, int flags, mode_t mode = 0);
  int Close(int fd);
  // Makes a file with this content.
  void Create(const std::string& path, std::string_view content = "", mode_t mode = 0644);
  // Logs what the file holds.
  void Contents(const std::string& path);
  std::string Read(int fd, size_t size);
  std::string Pread(int fd, size_t size, off_t offset);
  long Write(int fd, std::string_view data);
  long Pwrite(int fd, std::string_view data, off_t offset);
  off_t Seek(int fd, off_t offset, int whence);
  int Fsync(int fd);
  int Fdatasync(int fd);
  int Fallocate(int fd, int mode, off_t offset, off_t length);
  long CopyFileRange(int in, off_t in_offset, int out, off_t out_offset, size_t length);
  long Sendfile(int out, int in, off_t offset, size_t length);
  // Data and holes of the whole file, as SEEK_DATA and SEEK_HOLE tell.
  void Extents(int fd);
  char* Map(int fd, size_t length, int protection, int flags, off_t offset = 0);

  // --- box_locks.cc
  int Lock(int fd, int command, short type, off_t start = 0, off_t length = 0);
  void GetLock(int fd, int command, short type, off_t start = 0, off_t length = 0);
  int Flock(int fd, int operation);

  // --- box_processes.cc
  // Runs `act` in a child process with these ids and waits for it. Logs the end if it was not normal.
  void As(const Identity& identity, const std::function<void(Box&)>& act);
  // The same without a change of ids.
  void Child(const std::function<void(Box&)>& act);
  // Starts a child and does not wait.
  pid_t Start(const std::function<void(Box&)>& act);
  void Join(pid_t child);
  void JoinQuietly(pid_t child);
  // A play: processes 0..actors-1 do their own steps of the list, one at a time in the list's order. Variables that
  // the steps capture belong to each process alone.
  void Play(int actors, const std::vector<Step>& steps);
  // Starts `count` processes that call act(n) at the same moment; returns how often it returned true.
  int Race(int count, const std::function<bool(int)>& act);
  // Waits (up to 5 s) until the child sits in a system call that waits, or has ended.
  void AwaitBlocked(pid_t child, std::vector<long> calls);
  // Waits up to 5 s until it holds; logs whether it came to hold.
  bool Eventually(std::string_view what, const std::function<bool()>& holds);
  int Execute(const std::string& path);

  // `path` by way of the container.
  std::string Inside(const std::string& path) const { return inside_.empty() ? path : inside_ + "/" + path; }

 private:
  std::string FdName(int fd) const;
  std::string Describe(const struct stat& attributes) const;

  Trace& trace_;
  std::string inside_;
  bool merged_;
  std::string prefix_;
  std::map<int, std::string> fd_names_;
};

// "0644" and so on.
std::string Octal(mode_t mode);
std::string OpenFlagNames(int flags);
// `size` bytes whose value tells their position.
std::string Pattern(size_t size, unsigned seed = 0);

inline constexpr timespec kOldTime = {981173106, 789012345};  // 2001-02-03 04:05:06.789012345
inline constexpr timespec kOmit = {0, UTIME_OMIT};
inline constexpr timespec kNow = {0, UTIME_NOW};

}  // namespace mirrorfs::conformance

#endif  // MIRRORFS_TESTS_CONFORMANCE_BOX_H_
