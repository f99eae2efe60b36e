#include "fusefs/daemon/stop_signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <utility>

#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

constexpr int kRepeatMilliseconds = 50;

void Wait(int signals, int end, const std::function<void()>& stop) {
  std::array<pollfd, 2> entries = {pollfd{.fd = signals, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = end, .events = POLLIN, .revents = 0}};
  bool stopping = false;
  while (true) {
    if (::poll(entries.data(), entries.size(), stopping ? kRepeatMilliseconds : -1) < 0) continue;
    if (entries[1].revents != 0) return;
    signalfd_siginfo info;
    if (entries[0].revents != 0 && ::read(signals, &info, sizeof(info)) == sizeof(info)) {
      spdlog::info("asked to stop by signal {}", info.ssi_signo);
      stopping = true;
    }
    if (stopping) stop();
  }
}

}  // namespace

void BlockStopSignals() {
  const sigset_t set = StopSet();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopSignals::StopSignals(std::function<void()> stop) : end_(::eventfd(0, EFD_CLOEXEC)) {
  const sigset_t set = StopSet();
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
  thread_ =
      std::jthread([signals = signals_.get(), end = end_.get(), stop = std::move(stop)] { Wait(signals, end, stop); });
}

StopSignals::~StopSignals() { ::eventfd_write(end_.get(), 1); }

}  // namespace mirrorfs
