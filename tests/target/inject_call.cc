// Makes another process try system calls that it should not be able to make, and tells what the kernel answered it.
//   inject_call PID
// Every thread of PID is stopped where it is, made to execute one system call after the other, and put back as it was.
// Prints "NAME ERRNO COUNT": so many threads were given that errno (0: it was done). x86-64 only.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "fmt/format.h"

namespace {

struct Call {
  const char* name;
  unsigned long number;                    // NOLINT(google-runtime-int): as user_regs_struct has it
  std::array<unsigned long, 4> arguments;  // NOLINT(google-runtime-int)
};

// Addresses are 0: what is refused is refused before they are looked at, what is not fails with EFAULT.
constexpr Call kCalls[] = {
    {"execve", SYS_execve, {0, 0, 0, 0}},
    {"execveat", SYS_execveat, {0, 0, 0, 0}},
    {"fork", SYS_fork, {0, 0, 0, 0}},
    {"mount", SYS_mount, {0, 0, 0, 0}},
    {"umount2", SYS_umount2, {0, 0, 0, 0}},
    {"ptrace", SYS_ptrace, {PTRACE_ATTACH, 1, 0, 0}},
    {"socket(AF_INET)", SYS_socket, {AF_INET, SOCK_STREAM, 0, 0}},
    {"socket(AF_INET6)", SYS_socket, {AF_INET6, SOCK_STREAM, 0, 0}},
    {"connect", SYS_connect, {0, 0, 0, 0}},
    {"setns", SYS_setns, {0, 0, 0, 0}},
    {"bpf", SYS_bpf, {0, 0, 0, 0}},
    {"init_module", SYS_init_module, {0, 0, 0, 0}},
    {"open_by_handle_at", SYS_open_by_handle_at, {0, 0, 0, 0}},
    {"getpid", SYS_getpid, {0, 0, 0, 0}},  // allowed: shows that calls do arrive
};

// Where the program has a "syscall" instruction.
std::optional<unsigned long> FindSyscallInstruction(const std::string& process) {  // NOLINT(google-runtime-int)
  std::ifstream maps("/proc/" + process + "/maps");
  std::ifstream memory("/proc/" + process + "/mem", std::ios::binary);
  for (std::string line; std::getline(maps, line);) {
    if (line.find("r-xp") == std::string::npos) continue;
    char* end = nullptr;
    const unsigned long begin = std::strtoul(line.c_str(), &end, 16);  // NOLINT(google-runtime-int)
    const unsigned long limit = std::strtoul(end + 1, nullptr, 16);    // NOLINT(google-runtime-int)
    std::string code(limit - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    if (!memory.read(code.data(), static_cast<std::streamsize>(code.size()))) continue;
    const size_t found = code.find("\x0f\x05");
    if (found != std::string::npos) return begin + found;
  }
  return std::nullopt;
}

class StoppedThread {
 public:
  explicit StoppedThread(pid_t id) : id_(id) {
    stopped_ = ::ptrace(PTRACE_SEIZE, id, 0, 0) == 0 && ::ptrace(PTRACE_INTERRUPT, id, 0, 0) == 0 && Wait() &&
               ::ptrace(PTRACE_GETREGS, id, 0, &saved_) == 0;
  }
  ~StoppedThread() {
    if (!stopped_) return;
    ::ptrace(PTRACE_SETREGS, id_, 0, &saved_);
    ::ptrace(PTRACE_DETACH, id_, 0, 0);
  }
  StoppedThread(const StoppedThread&) = delete;
  StoppedThread& operator=(const StoppedThread&) = delete;

  bool stopped() const { return stopped_; }

  // The errno of the call.
  std::optional<int> Try(const Call& call, unsigned long instruction) const {  // NOLINT(google-runtime-int)
    user_regs_struct registers = saved_;
    registers.rip = instruction;
    registers.rax = call.number;
    registers.orig_rax = static_cast<unsigned long>(-1);  // NOLINT(google-runtime-int): no call to be restarted
    registers.rdi = call.arguments[0];
    registers.rsi = call.arguments[1];
    registers.rdx = call.arguments[2];
    registers.r10 = call.arguments[3];
    if (::ptrace(PTRACE_SETREGS, id_, 0, &registers) != 0 || ::ptrace(PTRACE_SINGLESTEP, id_, 0, 0) != 0 || !Wait() ||
        ::ptrace(PTRACE_GETREGS, id_, 0, &registers) != 0) {
      return std::nullopt;
    }
    const auto result = static_cast<long>(registers.rax);  // NOLINT(google-runtime-int)
    return result < 0 ? static_cast<int>(-result) : 0;
  }

 private:
  bool Wait() const {
    int status = 0;
    return ::waitpid(id_, &status, __WALL) == id_ && WIFSTOPPED(status);
  }

  pid_t id_;
  bool stopped_ = false;
  user_regs_struct saved_ = {};
};

int Run(const std::string& process) {
  const auto instruction = FindSyscallInstruction(process);
  if (!instruction) return fmt::print(stderr, "no syscall instruction in {}\n", process), 1;
  std::map<std::pair<std::string, int>, int> answers;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + process + "/task")) {
    const StoppedThread thread(std::atoi(task.path().filename().c_str()));
    if (!thread.stopped()) continue;  // it has just ended
    for (const Call& call : kCalls) {
      const auto answer = thread.Try(call, *instruction);
      if (!answer) return fmt::print(stderr, "a thread did not come back from {}\n", call.name), 1;
      ++answers[{call.name, *answer}];
    }
  }
  for (const auto& [key, count] : answers) fmt::print("{}\t{}\t{}\n", key.first, key.second, count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return argc == 2 ? Run(argv[1]) : 2; }
