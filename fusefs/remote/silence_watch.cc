#include "fusefs/remote/silence_watch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/time/clock.h"
#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

constexpr int kLooksPerLimit = 8;
// A line that is only slow must not be given up again and again.
constexpr absl::Duration kLongestPatience = absl::Seconds(32);
constexpr absl::Duration kForgotten = absl::Minutes(1);

}  // namespace

SilenceWatch::SilenceWatch(Channels& channels, SessionLink& link, std::string endpoint, absl::Duration limit)
    : channels_(channels),
      link_(link),
      endpoint_(std::move(endpoint)),
      limit_(limit),
      patience_(limit),
      thread_([this](const std::stop_token& stop) { RunThread(stop); }) {}

void SilenceWatch::RunThread(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock<std::mutex> lock(mutex);
  const auto interval = absl::ToChronoNanoseconds(limit_ / kLooksPerLimit);
  while (!stopped.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) Look(absl::Now());
}

void SilenceWatch::Look(absl::Time now) {
  if (now - renewed_ > kForgotten && link_.LastHeard() > renewed_) patience_ = limit_;
  const absl::Duration silent = now - std::max(link_.LastHeard(), renewed_);
  if (silent <= patience_) return;
  spdlog::warn("{}: nothing has been heard from the agent for {:.1f} s: the connections are made anew", endpoint_,
               absl::ToDoubleSeconds(silent));
  renewed_ = now;
  patience_ = std::min(patience_ * 2, kLongestPatience);
  channels_.MakeAnew();
}

}  // namespace mirrorfs
