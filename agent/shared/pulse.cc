#include "agent/shared/pulse.h"

namespace mirrorfs {
namespace {

constexpr int kBeatsInPatience = 5;

}  // namespace

Pulse::Pulse(boost::asio::io_context& context, std::chrono::milliseconds patience)
    : patience_(patience), timer_(context), last_(std::chrono::steady_clock::now()) {
  Beat();
}

bool Pulse::Beats() const { return std::chrono::steady_clock::now() - last_.load() < patience_; }

void Pulse::Beat() {
  last_ = std::chrono::steady_clock::now();
  timer_.expires_after(patience_ / kBeatsInPatience);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) Beat();
  });
}

}  // namespace mirrorfs
