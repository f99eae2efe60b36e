#include "fusefs/remote/heartbeat.h"

#include <condition_variable>
#include <mutex>

namespace mirrorfs {
namespace {

constexpr int kPatience = 3;

}  // namespace

Heartbeat::Heartbeat(RemoteCaller& caller, SessionLink& link, absl::Duration interval)
    : caller_(caller),
      link_(link),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { RunThread(stop); }) {}

void Heartbeat::RunThread(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock<std::mutex> lock(mutex);
  while (!stopped.wait_for(lock, stop, absl::ToChronoNanoseconds(interval_), [&] { return stop.stop_requested(); })) {
    Ping(stop);
  }
}

void Heartbeat::Ping(const std::stop_token& stop) {
  // Waits longer than an interval: an agent that is slow is not silent.
  const CallContext context{.caller = {}, .deadline = absl::Now() + kPatience * interval_, .stop = stop};
  v1::PingRequest request;
  v1::PingReply reply;
  // Without an answer there is nothing to do here: who waits for one of his own gets the error.
  if (caller_.Call(Method::kPing, context, request, reply, &v1::FileSystem::Stub::Ping).ok()) {
    link_.SetAgentClock(reply.agent_clock_ns());
  }
}

}  // namespace mirrorfs
