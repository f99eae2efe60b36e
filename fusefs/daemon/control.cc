#include "fusefs/daemon/control.h"

#include <sys/socket.h>

#include <utility>

#include "spdlog/spdlog.h"

namespace mirrorfs {

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
  MutexLock lock(sending_);
  const auto sent = channel_.Send(message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!sent.ok()) spdlog::warn("the keeper does not listen");
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
