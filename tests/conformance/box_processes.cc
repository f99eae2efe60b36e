#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kPollEvery = std::chrono::milliseconds(5);

bool Become(const Identity& identity) {
  return ::setgroups(identity.groups.size(), identity.groups.data()) == 0 &&
         ::setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
         ::setresuid(identity.uid, identity.uid, identity.uid) == 0;
}

std::string EndText(int status) {
  if (WIFSIGNALED(status)) return fmt::format("child ended by SIG{}", ::sigabbrev_np(WTERMSIG(status)));
  return fmt::format("child exited with {}", WEXITSTATUS(status));
}

// A ring of pipes that hands one token from step to step.
class Baton {
 public:
  explicit Baton(int actors) : ends_(static_cast<size_t>(actors)) {
    for (auto& end : ends_) {
      int fds[2];
      if (::pipe2(fds, O_CLOEXEC) != 0) std::abort();
      end = {UniqueFd(fds[0]), UniqueFd(fds[1])};
    }
  }
  void Give(int actor) {
    if (::write(ends_[size_t(actor)].write.get(), "!", 1) != 1) std::abort();
  }
  void Await(int actor) {
    char token;
    if (::read(ends_[size_t(actor)].read.get(), &token, 1) != 1) std::abort();
  }

 private:
  struct Ends {
    UniqueFd read;
    UniqueFd write;
  };
  std::vector<Ends> ends_;
};

}  // namespace

long Box::Report(std::string_view call, long result) {
  const int error = errno;
  Note(fmt::format("{} = {}", call, result == -1 ? ErrnoName(error) : "ok"));
  errno = error;
  return result;
}

long Box::ReportValue(std::string_view call, long result) {
  const int error = errno;
  Note(fmt::format("{} = {}", call, result == -1 ? ErrnoName(error) : std::to_string(result)));
  errno = error;
  return result;
}

bool Box::Check(std::string_view what, bool answer) {
  Note(fmt::format("{}: {}", what, answer ? "yes" : "no"));
  return answer;
}

void Box::As(const Identity& identity, const std::function<void(Box&)>& act) {
  const std::string prefix = fmt::format("[{}:{}{}{}] ", identity.uid, identity.gid, identity.groups.empty() ? "" : "+",
                                         fmt::join(identity.groups, "+"));
  Join(Start([&](Box& box) {
    if (!Become(identity)) return box.Note("cannot become " + prefix);
    box.prefix_ = prefix;
    act(box);
  }));
}

void Box::Child(const std::function<void(Box&)>& act) { Join(Start(act)); }

pid_t Box::Start(const std::function<void(Box&)>& act) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  act(*this);
  ::_exit(0);
}

void Box::Join(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) Note(EndText(status));
}

void Box::JoinQuietly(pid_t child) { ::waitpid(child, nullptr, 0); }

void Box::Play(int actors, const std::vector<Step>& steps) {
  Baton baton(actors);
  std::vector<pid_t> children;
  if (!steps.empty()) baton.Give(steps.front().actor);
  for (int actor = 0; actor < actors; ++actor) {
    children.push_back(Start([&, actor](Box& box) {
      box.prefix_ = fmt::format("{}<{}> ", box.prefix_, actor);
      for (size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].actor != actor) continue;
        baton.Await(actor);
        steps[i].act();
        if (i + 1 < steps.size()) baton.Give(steps[i + 1].actor);
      }
      // Everybody stays until the play is over: the end of a process would drop its locks.
      if (!steps.empty() && steps.back().actor == actor) {
        for (int other = 0; other < actors; ++other) baton.Give(other);
      }
      baton.Await(actor);
    }));
  }
  for (pid_t child : children) Join(child);
}

int Box::Race(int count, const std::function<bool(int)>& act) {
  int gate[2];
  if (::pipe2(gate, O_CLOEXEC) != 0) std::abort();
  std::vector<pid_t> children;
  for (int n = 0; n < count; ++n) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    ::close(gate[1]);
    char byte;
    if (::read(gate[0], &byte, 1) != 0) ::_exit(2);  // end of file: all are there
    ::_exit(act(n) ? 1 : 0);
  }
  ::close(gate[1]);
  ::close(gate[0]);
  int winners = 0;
  for (pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) Note(EndText(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) ++winners;
  }
  return winners;
}

void Box::AwaitBlocked(pid_t child, std::vector<long> calls) {
  int seen = 0;
  const auto deadline = Clock::now() + kPatience;
  while (seen < 20 && Clock::now() < deadline) {
    siginfo_t end{};
    if (::waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOWAIT | WNOHANG) != 0 || end.si_pid == child)
      return;
    long current = -1;
    std::ifstream(fmt::format("/proc/{}/syscall", child)) >> current;
    const bool inside = std::find(calls.begin(), calls.end(), current) != calls.end();
    seen = inside ? seen + 1 : 0;
    std::this_thread::sleep_for(kPollEvery);
  }
}

bool Box::Eventually(std::string_view what, const std::function<bool()>& holds) {
  const auto deadline = Clock::now() + kPatience;
  while (!holds()) {
    if (Clock::now() > deadline) return Check(what, false);
    std::this_thread::sleep_for(kPollEvery);
  }
  return Check(what, true);
}

int Box::Execute(const std::string& path) {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    char* const arguments[] = {const_cast<char*>(path.c_str()), nullptr};
    char* const environment[] = {nullptr};
    ::close(STDOUT_FILENO);  // what the program says is of no interest
    ::close(STDERR_FILENO);
    ::execve(path.c_str(), arguments, environment);
    const int error = errno;
    (void)!::write(report[1], &error, sizeof error);
    ::_exit(127);
  }
  ::close(report[1]);
  int error = 0;
  const bool failed = ::read(report[0], &error, sizeof error) == sizeof error;
  ::close(report[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  const std::string call = fmt::format("execve({})", Quote(path));
  if (failed) {
    errno = error;
    return Report(call, -1);
  }
  Note(fmt::format("{} = {}", call, WIFEXITED(status) ? fmt::format("exit {}", WEXITSTATUS(status)) : EndText(status)));
  return 0;
}

}  // namespace mirrorfs::conformance
