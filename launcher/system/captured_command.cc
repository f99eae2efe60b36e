#include "launcher/system/captured_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/printable.h"
#include "launcher/split_text.h"
#include "launcher/system/child_process.h"
#include "launcher/system/exec_words.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

struct Pipe {
  UniqueFd ours;  // does not block
  UniqueFd childs;
};

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  Pipe pipe{.ours = UniqueFd(ends[0]), .childs = UniqueFd(ends[1])};
  if (::fcntl(pipe.ours.get(), F_SETFL, O_NONBLOCK) != 0) return LastErrno("a pipe");
  return pipe;
}

// A file rather than a pipe: nobody has to feed it while the program runs.
absl::StatusOr<UniqueFd> InputFile(std::string_view bytes) {
  UniqueFd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file) return LastErrno("memfd_create");
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0) return LastErrno("a file in memory");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return LastErrno("a file in memory");
  return file;
}

absl::StatusOr<pid_t> Spawn(const CapturedCommand& command, int input, int output, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const absl::Cleanup free_lists = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const std::vector<std::string> environment = EnvironmentWith(command.variables);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, command.program.c_str(), &actions, &attributes,
                                  ExecPointers(command.command).data(), ExecPointers(environment).data());
  if (error == 0) return pid;
  return Failure(ExitCode::kFailed, fmt::format("{} cannot be started: {}.", command.program, ErrnoText(error)));
}

// One of the two streams.
class Stream {
 public:
  Stream(UniqueFd pipe, std::string& text) : pipe_(std::move(pipe)), text_(text) {}

  // -1 at its end, which poll() passes over.
  int fd() const { return pipe_ ? pipe_.get() : -1; }

  // All that is there.
  void Take() {
    std::array<char, 65536> buffer;
    while (pipe_) {
      const ssize_t count = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (count > 0) {
        text_.append(buffer.data(), static_cast<size_t>(count));
      } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
        pipe_.reset();
      } else if (errno == EAGAIN) {
        return;
      }
    }
  }

 private:
  UniqueFd pipe_;
  std::string& text_;
};

// The last words of a program come right before its end, and are its result; what is passed on is older.
constexpr absl::Duration kSettled = absl::Seconds(1);

// Passes on whole lines of the program's errors.
class Forwarder {
 public:
  // While the program goes on.
  void PassOn(std::string_view errors) {
    if (absl::Now() - noted_at_ < kSettled) return;
    const std::string_view old = errors.substr(passed_, noted_ - passed_);
    for (const std::string_view line : SplitText(old, '\n')) {
      fmt::print(stderr, "{}\n", Printable(std::string(line)));
    }
    passed_ = noted_;
    noted_ = std::max(errors.rfind('\n') + 1, passed_);
    noted_at_ = absl::Now();
  }

 private:
  size_t passed_ = 0;
  size_t noted_ = 0;  // up to here it had been said at noted_at_
  absl::Time noted_at_ = absl::InfinitePast();
};

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(std::clamp(duration, absl::ZeroDuration(), absl::Hours(1)))) + 1;
}

// Until the program `process` (a pidfd) has ended; false: not within the limit.
bool Follow(const CapturedCommand& command, const UniqueFd& process, Stream& output, Stream& errors,
            const std::string& said) {
  const absl::Time start = absl::Now();
  Forwarder forwarder;
  while (true) {
    const absl::Duration elapsed = absl::Now() - start;
    if (elapsed >= command.limit) return false;
    const bool patient = elapsed < command.patience;
    std::array<pollfd, 3> wait = {{{.fd = process.get(), .events = POLLIN, .revents = 0},
                                   {.fd = output.fd(), .events = POLLIN, .revents = 0},
                                   {.fd = errors.fd(), .events = POLLIN, .revents = 0}}};
    const absl::Duration next = std::min(command.limit, patient ? command.patience : elapsed + kSettled);
    ::poll(wait.data(), wait.size(), Milliseconds(next - elapsed));
    output.Take();
    errors.Take();
    if (wait[0].revents != 0) return true;
    if (!patient) forwarder.PassOn(said);
  }
}

}  // namespace

absl::StatusOr<CapturedEnd> RunCaptured(const CapturedCommand& command) {
  ASSIGN_OR_RETURN(const UniqueFd input, InputFile(command.input));
  ASSIGN_OR_RETURN(Pipe output_pipe, MakePipe());
  ASSIGN_OR_RETURN(Pipe error_pipe, MakePipe());
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(command, input.get(), output_pipe.childs.get(), error_pipe.childs.get()));
  output_pipe.childs.reset();
  error_pipe.childs.reset();
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  CapturedEnd end;
  Stream output(std::move(output_pipe.ours), end.output);
  Stream errors(std::move(error_pipe.ours), end.errors);
  if (!process) {
    const absl::Status error = LastErrno("pidfd_open");
    ::kill(pid, SIGKILL);
    Reap(pid);
    return error;
  }
  end.timed_out = !Follow(command, process, output, errors, end.errors);
  if (end.timed_out) ::kill(pid, SIGKILL);
  end.wait_status = Reap(pid);
  // What it wrote last may have come after its end was seen.
  output.Take();
  errors.Take();
  return end;
}

}  // namespace mirrorfs
