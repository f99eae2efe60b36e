// The agent's own program, in a process of its own, that serves a directory on a unix socket.
#ifndef MIRRORFS_TESTS_WIRE_AGENT_PROCESS_H_
#define MIRRORFS_TESTS_WIRE_AGENT_PROCESS_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace mirrorfs {

class AgentProcess {
 public:
  // `descriptors`: how many it may have. AGENT_PATH: the program.
  AgentProcess(const std::string& directory, const std::string& socket, int descriptors) : endpoint_("unix:" + socket) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    // A shell sets the limit, and becomes the agent. Nothing is done between fork and exec but that: threads of gRPC's
    // may hold any lock.
    const std::string script = "ulimit -n " + std::to_string(descriptors) +
                               "; exec " AGENT_PATH " --target dir:" + directory + " --listen " + endpoint_ +
                               " --rw --ready-fd " + std::to_string(ready[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    char line[256];
    EXPECT_GT(::read(ready[0], line, sizeof line), 0) << "the agent does not start";
    ::close(ready[0]);
  }
  AgentProcess(const AgentProcess&) = delete;
  ~AgentProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  const std::string& Endpoint() const { return endpoint_; }
  bool Lives() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

  // The most memory that it has had at a time.
  uint64_t MostBytes() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string word; status >> word;) {
      uint64_t kilobytes = 0;
      if (word == "VmHWM:" && status >> kilobytes) return kilobytes << 10;
    }
    return 0;
  }

 private:
  const std::string endpoint_;
  pid_t pid_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_AGENT_PROCESS_H_
