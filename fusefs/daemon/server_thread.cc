#include "fusefs/daemon/server_thread.h"

#include <signal.h>
#include <unistd.h>

namespace mirrorfs {
namespace {

constexpr int kWakeSignal = SIGUSR1;

// Does nothing, and does not restart the system call that it interrupts.
void InstallWakeSignal() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  ::sigaction(kWakeSignal, &action, nullptr);
}

}  // namespace

ServerThread::ServerThread(FuseSession& session) : session_(session) {
  InstallWakeSignal();
  thread_ = std::jthread([this] {
    thread_id_ = ::gettid();
    result_ = session_.Run();
    thread_id_ = 0;
  });
}

void ServerThread::Stop() {
  session_.RequestStop();
  if (const pid_t thread = thread_id_; thread != 0) ::tgkill(::getpid(), thread, kWakeSignal);
}

absl::Status ServerThread::Join() {
  thread_.join();
  return result_;
}

}  // namespace mirrorfs
