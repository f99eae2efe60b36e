#include "agent/target/engine_api.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agent/target/container_choice.h"
#include "agent/target/http_get.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

absl::Status Unexpected(std::string_view runtime, std::string_view what) {
  return absl::UnavailableError(fmt::format("{}: unexpected answer to {}", runtime, what));
}

std::string StringOf(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A paused or restarting container is listed in a state of its own; the first has a process, the second may have.
bool MayHaveProcess(std::string_view state) { return state == "running" || state == "paused"; }

ListedContainer ToListed(const json& object) {
  ListedContainer container;
  container.id = StringOf(object, "Id");
  container.state = StringOf(object, "State");
  container.running = MayHaveProcess(container.state);
  const auto names = object.find("Names");
  if (names == object.end() || !names->is_array()) return container;
  for (const json& name : *names) {
    if (!name.is_string()) continue;
    std::string text = name.get<std::string>();
    if (text.starts_with('/')) text.erase(0, 1);
    // "other/alias" is how a link from another container shows.
    if (text.find('/') == std::string::npos) container.names.push_back(std::move(text));
  }
  return container;
}

absl::StatusOr<json> GetJson(std::string_view runtime, const std::string& socket, const std::string& path) {
  ASSIGN_OR_RETURN(const std::string body, HttpGet(runtime, socket, path));
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Unexpected(runtime, path);
  return parsed;
}

// The paths carry no version: the daemon answers in its own, and what is read here is the same in all of them.
absl::StatusOr<std::vector<ListedContainer>> List(std::string_view runtime, const std::string& socket) {
  const std::string path = "/containers/json?all=1";
  ASSIGN_OR_RETURN(const json reply, GetJson(runtime, socket, path));
  if (!reply.is_array()) return Unexpected(runtime, path);
  std::vector<ListedContainer> containers;
  for (const json& object : reply) {
    if (object.is_object()) containers.push_back(ToListed(object));
  }
  return containers;
}

absl::StatusOr<int> PidOf(std::string_view runtime, const std::string& socket, const std::string& id) {
  const std::string path = fmt::format("/containers/{}/json", id);
  ASSIGN_OR_RETURN(const json reply, GetJson(runtime, socket, path));
  const json pid = reply.value(json::json_pointer("/State/Pid"), json());
  if (!pid.is_number_integer()) return Unexpected(runtime, path);
  return pid.get<int>();
}

}  // namespace

absl::StatusOr<FoundContainer> FindWithEngineApi(std::string_view runtime, const std::string& socket,
                                                 const std::string& name) {
  ASSIGN_OR_RETURN(const auto containers, List(runtime, socket));
  ASSIGN_OR_RETURN(const ListedContainer container, ChooseContainer(runtime, name, containers));
  const std::string start = fmt::format("start it: {} start {}", runtime, name);
  RETURN_IF_ERROR(CheckRunning(runtime, container, start));
  ASSIGN_OR_RETURN(const int pid, PidOf(runtime, socket, container.id));
  if (pid <= 0) {
    return absl::FailedPreconditionError(fmt::format("{} has just ended; {}", Describe(runtime, container), start));
  }
  return FoundContainer{.id = container.id, .pid = pid, .description = Describe(runtime, container)};
}

}  // namespace mirrorfs
