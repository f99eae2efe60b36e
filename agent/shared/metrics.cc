#include "agent/shared/metrics.h"

#include <string_view>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

void Head(std::string& text, std::string_view name, std::string_view type, std::string_view help) {
  text += fmt::format("# HELP mirrorfs_agent_{0} {2}\n# TYPE mirrorfs_agent_{0} {1}\n", name, type, help);
}

void Plain(std::string& text, std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
  Head(text, name, type, help);
  text += fmt::format("mirrorfs_agent_{} {}\n", name, value);
}

}  // namespace

const char* ToWord(PrefaceCode code) {
  switch (code) {
    case PrefaceCode::kOk:
      return "allowed";
    case PrefaceCode::kBadRequest:
      return "bad_request";
    case PrefaceCode::kUnauthenticated:
      return "unauthenticated";
    case PrefaceCode::kForbidden:
      return "forbidden";
    case PrefaceCode::kNoTarget:
      return "no_target";
    case PrefaceCode::kQuota:
      return "quota";
    case PrefaceCode::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string ToText(const Metrics& metrics) {
  std::string text;
  Head(text, "attaches_total", "counter", "Attaches and refusals, by decision.");
  for (const auto& [code, count] : metrics.attaches) {
    text += fmt::format("mirrorfs_agent_attaches_total{{decision=\"{}\"}} {}\n", ToWord(code), count);
  }
  Plain(text, "crowded_out_total", "counter", "Connections closed because too many waited to be let in.",
        metrics.crowded_out);
  Plain(text, "container_agents_started_total", "counter", "Agents started for containers.", metrics.agents_started);
  Head(text, "relayed_bytes_total", "counter", "Bytes of streams that were let in.");
  text += fmt::format("mirrorfs_agent_relayed_bytes_total{{direction=\"to_client\"}} {}\n", metrics.bytes_to_clients);
  text +=
      fmt::format("mirrorfs_agent_relayed_bytes_total{{direction=\"from_client\"}} {}\n", metrics.bytes_from_clients);
  Plain(text, "sessions", "gauge", "Container agents that run.", metrics.sessions);
  Plain(text, "connections", "gauge", "Streams that were let in and are open.", metrics.connections);
  return text;
}

}  // namespace mirrorfs
