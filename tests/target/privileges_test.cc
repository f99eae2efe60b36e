// What is left after DropPrivileges, read back from the kernel on every thread, and tried.
#include "agent/privileges/privileges.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/shared/mutex.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

using testing::HasSubstr;

// What `body` returns, run in a child process.
std::string InChild(const std::function<std::string()>& body) {
  std::array<int, 2> ends = {};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string result = body();
    ::_exit(::write(write_end.get(), result.data(), result.size()) == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  write_end.reset();
  std::string result;
  std::array<char, 4096> buffer;
  for (ssize_t count; (count = ::read(read_end.get(), buffer.data(), buffer.size())) > 0;) {
    result.append(buffer.data(), static_cast<size_t>(count));
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fmt::format("the child ended with status {:x}", status);
  return result;
}

// Threads that wait until the end of the scope.
class Threads {
 public:
  explicit Threads(int count) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { Wait(); });
  }
  ~Threads() {
    {
      MutexLock lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Wait() {
    MutexLock lock(mutex_);
    while (!done_) lock.Wait(changed_);
  }

  Mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::vector<std::thread> threads_;
};

// The lines of interest of every thread's status, the same ones once.
std::string StatusOfAllThreads() {
  std::vector<std::string> seen;
  int threads = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "status");
    std::string lines;
    for (std::string line; std::getline(file, line);) {
      for (const char* key : {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"}) {
        if (line.starts_with(key)) lines += line + "\n";
      }
    }
    ++threads;
    if (std::find(seen.begin(), seen.end(), lines) == seen.end()) seen.push_back(lines);
  }
  std::string text = fmt::format("threads {}, kinds {}\n", threads, seen.size());
  for (const std::string& lines : seen) text += lines;
  return text;
}

std::string DropAndTell(const PrivilegeOptions& options) {
  return InChild([&options] {
    const absl::Status status = DropPrivileges(options);
    if (!status.ok()) return status.ToString();
    Threads threads(4);
    return StatusOfAllThreads();
  });
}

std::string Expected(uint64_t permitted, uint64_t effective) {
  return fmt::format(
      "threads 5, kinds 1\nCapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\n"
      "NoNewPrivs:\t1\nSeccomp:\t2\n",
      0, permitted, effective, 0, 0);
}

template <typename... Capability>
constexpr uint64_t Bits(Capability... capabilities) {
  return ((uint64_t{1} << capabilities) | ...);
}

constexpr uint64_t kReading = Bits(CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SETUID, CAP_SETGID);
constexpr uint64_t kWriting = kReading | Bits(CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_SETFCAP);

class PrivilegesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to have something to give up";
  }
};

class PrivilegesOfThreadsTest : public PrivilegesTest {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer has a thread of its own, started before privileges can be dropped";
#endif
    PrivilegesTest::SetUp();
  }
};

TEST_F(PrivilegesOfThreadsTest, ReadOnlyKeepsWhatReadingNeeds) {
  EXPECT_EQ(DropAndTell({}), Expected(kReading, kReading));
}

TEST_F(PrivilegesOfThreadsTest, DevicesMeanNothingToAReadOnlyAgent) {
  EXPECT_EQ(DropAndTell({.read_write = false, .devices = true}), Expected(kReading, kReading));
}

TEST_F(PrivilegesOfThreadsTest, ReadWriteAddsWhatWritingNeeds) {
  EXPECT_EQ(DropAndTell({.read_write = true}), Expected(kWriting | Bits(CAP_FSETID), kWriting));
}

TEST_F(PrivilegesOfThreadsTest, DevicesAddMknod) {
  EXPECT_EQ(DropAndTell({.read_write = true, .devices = true}),
            Expected(kWriting | Bits(CAP_FSETID, CAP_MKNOD), kWriting | Bits(CAP_MKNOD)));
}

TEST_F(PrivilegesTest, AnOrdinaryUserIsConfinedToo) {
  const std::string told = InChild([] {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(1000, 1000, 1000) != 0 || ::setresuid(1000, 1000, 1000) != 0) {
      return std::string("cannot become an ordinary user");
    }
    const absl::Status status = DropPrivileges({.read_write = true});
    return status.ok() ? StatusOfAllThreads() : status.ToString();
  });
  EXPECT_THAT(told, HasSubstr("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"));
  EXPECT_THAT(told, HasSubstr("NoNewPrivs:\t1\nSeccomp:\t2\n"));
}

TEST_F(PrivilegesTest, AChangeOfTheFileSystemUserLeavesCapabilitiesAlone) {
  const std::string told = InChild([] {
    if (!DropPrivileges({.read_write = true}).ok()) return std::string("drop failed");
    ::syscall(SYS_setfsuid, 1000);
    return StatusOfAllThreads();
  });
  EXPECT_THAT(told, HasSubstr(fmt::format("CapEff:\t{:016x}\n", kWriting)));
}

TEST_F(PrivilegesTest, SecurebitsAreLocked) {
  const std::string bits = InChild([] {
    if (!DropPrivileges({}).ok()) return std::string("drop failed");
    return std::to_string(::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
  });
  EXPECT_EQ(bits, std::to_string(SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NOROOT |
                                 SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED));
}

struct Attempt {
  const char* name;
  std::function<long()> call;  // NOLINT(google-runtime-int): as syscall(2) returns
};

// Each call in a thread of a process that has dropped its privileges: "name errno" for each.
std::string Try(const std::vector<Attempt>& attempts) {
  return InChild([&attempts] {
    if (!DropPrivileges({.read_write = true, .devices = true}).ok()) return std::string("drop failed");
    std::string told;
    std::thread thread([&] {
      for (const Attempt& attempt : attempts) {
        const auto result = attempt.call();
        told += fmt::format("{} {}\n", attempt.name, result == -1 ? errno : 0);
      }
    });
    thread.join();
    return told;
  });
}

TEST_F(PrivilegesTest, WhatAnAgentHasNoUseForIsRefused) {
  static char* const kNoArguments[] = {nullptr};
  const std::vector<Attempt> attempts = {
      {"execve", [] { return ::execve("/bin/true", kNoArguments, kNoArguments); }},
      {"execveat", [] { return ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); }},
      {"fork", [] { return ::syscall(SYS_fork); }},
      {"clone of a process", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
      {"mount", [] { return ::mount("none", "/mnt", "tmpfs", 0, nullptr); }},
      {"umount", [] { return ::umount2("/proc", MNT_DETACH); }},
      {"open_tree", [] { return ::syscall(428, AT_FDCWD, "/", 0); }},
      {"pivot_root", [] { return ::syscall(SYS_pivot_root, "/", "/"); }},
      {"chroot", [] { return ::chroot("/"); }},
      {"setns", [] { return ::setns(0, 0); }},
      {"unshare of namespaces", [] { return ::unshare(CLONE_NEWUSER); }},
      {"ptrace", [] { return ::ptrace(PTRACE_ATTACH, 1, nullptr, nullptr); }},
      {"process_vm_readv", [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }},
      {"socket(AF_INET)", [] { return ::socket(AF_INET, SOCK_STREAM, 0); }},
      {"socket(AF_INET6)", [] { return ::socket(AF_INET6, SOCK_DGRAM, 0); }},
      {"socket(AF_NETLINK)", [] { return ::socket(AF_NETLINK, SOCK_RAW, 0); }},
      {"socket(AF_PACKET)", [] { return ::socket(AF_PACKET, SOCK_RAW, 0); }},
      {"connect", [] { return ::connect(-1, nullptr, 0); }},
      {"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, -1, nullptr, 0); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
      {"perf_event_open", [] { return ::syscall(SYS_perf_event_open, nullptr, 0, 0, 0, 0); }},
      {"init_module", [] { return ::syscall(SYS_init_module, nullptr, 0, ""); }},
      {"kexec_load", [] { return ::syscall(SYS_kexec_load, 0, 0, nullptr, 0); }},
      {"io_uring_setup", [] { return ::syscall(425, 1, nullptr); }},
      {"setresuid", [] { return ::syscall(SYS_setresuid, 0, 0, 0); }},
      {"kill", [] { return ::syscall(SYS_kill, 1, 0); }},
      {"memory that is executed",
       [] {
         void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return memory == MAP_FAILED ? -1L : 0L;
       }},
      {"securebits taken back", [] { return ::prctl(PR_SET_SECUREBITS, 0, 0, 0, 0); }},
  };
  const std::string told = Try(attempts);
  for (const Attempt& attempt : attempts) {
    EXPECT_THAT(told, HasSubstr(fmt::format("{} {}\n", attempt.name, EPERM)));
  }
}

TEST_F(PrivilegesTest, WhatAnAgentNeedsStillWorks) {
  static int ends[2];
  const std::vector<Attempt> attempts = {
      {"open", [] { return ::open("/proc/self/status", O_RDONLY | O_CLOEXEC); }},
      {"socket(AF_UNIX)", [] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }},
      {"socketpair", [] { return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends); }},
      {"pidfd_open", [] { return ::syscall(SYS_pidfd_open, ::getpid(), 0); }},
      {"unshare(CLONE_FS)", [] { return ::unshare(CLONE_FS); }},
      {"setgroups", [] { return ::syscall(SYS_setgroups, 0, nullptr); }},
      {"setfsuid", [] { return ::syscall(SYS_setfsuid, 1000); }},
      {"thread",
       [] {
         std::thread([] {}).join();
         return 0L;
       }},
      {"malloc",
       [] {
         std::vector<char> memory(64 << 20, 'x');
         return memory[5] == 'x' ? 0L : -1L;
       }},
  };
  const std::string told = Try(attempts);
  for (const Attempt& attempt : attempts) EXPECT_THAT(told, HasSubstr(fmt::format("{} 0\n", attempt.name)));
}

// FSETID is raised by a thread that acts for root, and given up again.
TEST_F(PrivilegesTest, AThreadMayRaiseWhatIsPermitted) {
  const std::string told = InChild([] {
    if (!DropPrivileges({.read_write = true}).ok()) return std::string("drop failed");
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    ::syscall(SYS_capget, &header, data);
    data[0].effective = data[0].permitted;
    const auto raised = ::syscall(SYS_capset, &header, data);
    data[0].permitted |= Bits(CAP_SYS_MODULE);
    const auto beyond = ::syscall(SYS_capset, &header, data);
    return fmt::format("{} {}", raised, beyond);
  });
  EXPECT_EQ(told, "0 -1");
}

}  // namespace
}  // namespace mirrorfs
