#include "fusefs/daemon/control.h"

#include <sys/socket.h>

#include <utility>

#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

constexpr size_t kMostWaiting = 1000;

}  // namespace

void ControlChannel::SendReady(nlohmann::json facts) {
  facts["event"] = "ready";
  Send(facts);
}

void ControlChannel::SendFailed(const std::string& message, DaemonExit exit) {
  Send({{"event", "failed"}, {"message", message}, {"exit", static_cast<int>(exit)}});
}

void ControlChannel::SendEvent(const std::string& event, nlohmann::json facts) {
  facts["event"] = event;
  Send(facts);
}

void ControlChannel::Serve(std::function<nlohmann::json()> stats) {
  if (channel_.fd() < 0) return;
  thread_ = std::jthread([this, stats = std::move(stats)] { AnswerUntilEnd(stats); });
}

void ControlChannel::StopServing() {
  if (!thread_.joinable()) return;
  ::shutdown(channel_.fd(), SHUT_RD);  // wakes the thread
  thread_.join();
}

void ControlChannel::Send(const nlohmann::json& message) {
  if (channel_.fd() < 0) return;
  std::string line = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  {
    MutexLock lock(mutex_);
    if (waiting_.size() >= kMostWaiting) return;  // the keeper is held up: by what is only told nobody else is to be
    waiting_.push_back(std::move(line));
    if (std::exchange(sending_, true)) return;
  }
  while (const auto next = TakeWaiting()) {
    if (!channel_.Send(*next).ok()) spdlog::warn("the keeper does not listen");
  }
}

std::optional<std::string> ControlChannel::TakeWaiting() {
  MutexLock lock(mutex_);
  sending_ = !waiting_.empty();
  if (!sending_) return std::nullopt;
  std::string line = std::move(waiting_.front());
  waiting_.pop_front();
  return line;
}

void ControlChannel::AnswerUntilEnd(const std::function<nlohmann::json()>& stats) {
  while (!channel_.AtEnd()) {
    channel_.Receive();
    while (const auto line = channel_.Next()) {
      const auto request = nlohmann::json::parse(*line, nullptr, false);
      if (request.is_object() && request.value("request", nlohmann::json()) == "stats") Send({{"stats", stats()}});
    }
  }
}

}  // namespace mirrorfs
