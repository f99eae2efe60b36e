#include "agent/shared/audit.h"

#include "agent/shared/metrics.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

std::string AuditLine(absl::Time time, const std::string& node, const PrefaceRequest& request, const Verdict& verdict) {
  using Json = nlohmann::ordered_json;
  const bool allowed = verdict.code == PrefaceCode::kOk;
  const Json line = {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone())},
                     {"audit", "attach"},
                     {"user", verdict.caller.name},
                     {"groups", verdict.caller.groups},
                     {"namespace", request.name_space},
                     {"pod", request.pod},
                     {"container", request.container},
                     {"container_id", request.container_id},
                     {"node", node},
                     {"mode", request.read_write ? "rw" : "ro"},
                     {"decision", allowed ? "allow" : "deny"},
                     {"why", allowed ? "may create pods/exec" : ToWord(verdict.code)},
                     {"message", verdict.message}};
  return line.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace mirrorfs
