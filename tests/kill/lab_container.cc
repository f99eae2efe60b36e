#include "tests/kill/lab_container.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "agent/target/command_output.h"
#include "agent/target/read_all.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// The value of the option in the overlay mount of the root: "... - overlay overlay rw,lowerdir=a:b,upperdir=c,...".
absl::StatusOr<std::string> UpperDirectoryOf(int pid) {
  ASSIGN_OR_RETURN(const std::string text, ReadAllOf(fmt::format("/proc/{}/mountinfo", pid)));
  constexpr std::string_view kOption = ",upperdir=";
  const size_t option = text.find(kOption);
  if (option == std::string::npos) return absl::InternalError("the container has no overlay");
  const size_t begin = option + kOption.size();
  return text.substr(begin, text.find_first_of(",\n", begin) - begin);
}

}  // namespace

absl::StatusOr<LabContainer> LabContainer::Start(const std::string& socket, const std::string& name,
                                                 const std::string& volume) {
  LabContainer container(socket, name);
  RETURN_IF_ERROR(container
                      .Docker({"run", "--detach", "--name", name, "--network", "none", "--volume",
                               volume + ":/volumes/bind", "mirrorfs-lab:1"})
                      .status());
  ASSIGN_OR_RETURN(const std::string pid_text, container.Docker({"inspect", "--format", "{{.State.Pid}}", name}));
  const int pid = std::atoi(pid_text.c_str());
  container.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!container.pidfd_) return LastErrno("pidfd_open");
  ASSIGN_OR_RETURN(container.upper_, UpperDirectoryOf(pid));
  return container;
}

LabContainer::~LabContainer() {
  if (!name_.empty()) Docker({"rm", "--force", name_}).IgnoreError();
}

absl::Time LabContainer::Kill() const {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  pollfd poll = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  while (::poll(&poll, 1, -1) != 1) {
  }
  return absl::Now();
}

absl::StatusOr<std::string> LabContainer::Docker(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"/usr/bin/docker", "-H", "unix://" + socket_});
  return CommandOutput(arguments);
}

}  // namespace mirrorfs
