#include "agent/shared/agent_table.h"

#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

std::string BareId(const std::string& container_id) {
  const size_t scheme = container_id.find("://");
  return scheme == std::string::npos ? container_id : container_id.substr(scheme + 3);
}

}  // namespace

AgentTable::AgentTable(boost::asio::io_context& context, const SharedOptions& options, Metrics& metrics)
    : context_(context), options_(options), metrics_(metrics), quota_(options.sessions_per_user, options.sessions) {}

absl::StatusOr<AgentTable::Use> AgentTable::Get(const AgentKey& key) {
  const auto found = entries_.find(key);
  Entry* entry = found == entries_.end() ? nullptr : &found->second;
  if (entry == nullptr) {
    ASSIGN_OR_RETURN(entry, StartFor(key));
  }
  ++entry->uses;
  entry->idle->cancel();
  // The agent itself is kept alive by the table; this pointer only counts.
  return Use(entry->agent.get(),
             [this, key, number = entry->number, agent = entry->agent](ContainerAgent*) { GiveBack(key, number); });
}

absl::StatusOr<AgentTable::Entry*> AgentTable::StartFor(const AgentKey& key) {
  std::optional<Quota::Slot> slot = quota_.Take(key.user);
  if (!slot) {
    return absl::ResourceExhaustedError(
        fmt::format("you ({}) have {} containers mounted on this node, or all users together have as many as they may: "
                    "unmount some (mirrorfs status). The limits are the chart's values quota.sessionsPerUser and "
                    "quota.sessions.",
                    key.user, quota_.per_user()));
  }
  const uint64_t number = next_number_++;
  const std::string socket = fmt::format("{}/agents/{}.sock", options_.work_directory, number);
  ASSIGN_OR_RETURN(
      std::shared_ptr<ContainerAgent> agent,
      ContainerAgent::Start(
          context_, {.command = CommandFor(key, socket),
                     .socket = socket,
                     .log = [number](const std::string& line) { fmt::print(stderr, "agent {}: {}\n", number, line); },
                     .ended = [this, key, number] { Forget(key, number); }}));
  fmt::print(stderr, "agent {}: for {} and {}{}\n", number, absl::CHexEscape(key.user), key.container_id,
             key.read_write ? ", read-write" : "");
  ++metrics_.agents_started;
  const auto [entry, made] =
      entries_.insert_or_assign(key, Entry{.agent = std::move(agent),
                                           .slot = *std::move(slot),
                                           .idle = std::make_unique<boost::asio::steady_timer>(context_),
                                           .number = number});
  metrics_.sessions = entries_.size();
  return &entry->second;
}

// Nobody else's rights are ever taken on: who may run a program in the container has its user's rights, not all.
std::vector<std::string> AgentTable::CommandFor(const AgentKey& key, const std::string& socket) const {
  std::vector<std::string> words = {"mirrorfs-agent",
                                    "--target",
                                    "cri/" + BareId(key.container_id),
                                    "--listen",
                                    "unix:" + socket,
                                    "--identities",
                                    "container",
                                    "--ready-fd",
                                    "3",
                                    "--process-facts-fd",
                                    "3",
                                    "--ttl",
                                    absl::FormatDuration(options_.ttl),
                                    "--first-session",
                                    "30s",
                                    "--exit-with-parent"};
  if (options_.pid_from_cgroup) {
    words.insert(words.end(), {"--pid-from", "cgroup"});
  } else if (!options_.runtime_socket.empty()) {
    words.insert(words.end(), {"--runtime-socket", options_.runtime_socket});
  }
  if (key.read_write) words.emplace_back("--rw");
  return words;
}

void AgentTable::GiveBack(const AgentKey& key, uint64_t number) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.number != number || --found->second.uses > 0) return;
  auto& idle = *found->second.idle;
  idle.expires_after(std::chrono::milliseconds(absl::ToInt64Milliseconds(options_.ttl)));
  idle.async_wait([agent = found->second.agent](const boost::system::error_code& cancelled) {
    if (!cancelled) agent->End();
  });
}

void AgentTable::Forget(const AgentKey& key, uint64_t number) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.number != number) return;
  ::unlink(found->second.agent->socket().c_str());  // of one that was killed
  fmt::print(stderr, "agent {}: has ended\n", number);
  entries_.erase(found);
  metrics_.sessions = entries_.size();
}

void AgentTable::EndAll() {
  for (const auto& [key, entry] : entries_) entry.agent->End();
}

}  // namespace mirrorfs
