// podman's service speaks the Docker Engine API, but mostly no service runs: then the command is asked, which reads the
// state of the user who runs it.
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "agent/target/command_output.h"
#include "agent/target/container_choice.h"
#include "agent/target/engine_api.h"
#include "agent/target/found_container.h"
#include "agent/target/runtime_sockets.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

constexpr std::string_view kRuntime = "podman";

struct PodmanContainer {
  ListedContainer listed;
  int pid = 0;
};

PodmanContainer ToContainer(const json& object) {
  PodmanContainer container;
  container.listed.id = object.value("Id", "");
  container.listed.state = object.value("State", "");
  container.listed.names = object.value("Names", std::vector<std::string>());
  container.listed.running = container.listed.state == "running" || container.listed.state == "paused";
  container.pid = object.value("Pid", 0);
  return container;
}

absl::StatusOr<std::vector<PodmanContainer>> ParseList(const std::string& text) {
  const absl::Status unexpected = absl::UnavailableError("podman ps: unexpected output");
  const json list = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (list.is_null()) return std::vector<PodmanContainer>();
  if (!list.is_array()) return unexpected;
  std::vector<PodmanContainer> containers;
  for (const json& object : list) {
    // nlohmann-json throws where a value is of another type than the default's.
    try {
      containers.push_back(ToContainer(object));
    } catch (const json::exception&) {
      return unexpected;
    }
  }
  return containers;
}

absl::StatusOr<FoundContainer> FindWithCommand(const std::string& name) {
  ASSIGN_OR_RETURN(const std::string output,
                   CommandOutput({"podman", "ps", "--all", "--no-trunc", "--format", "json"}));
  ASSIGN_OR_RETURN(const auto containers, ParseList(output));
  std::vector<ListedContainer> listed;
  for (const PodmanContainer& container : containers) listed.push_back(container.listed);
  ASSIGN_OR_RETURN(const ListedContainer chosen, ChooseContainer(kRuntime, name, listed));
  RETURN_IF_ERROR(CheckRunning(kRuntime, chosen, "start it: podman start " + name));
  for (const PodmanContainer& container : containers) {
    if (container.listed.id != chosen.id || container.pid <= 0) continue;
    return FoundContainer{.id = chosen.id, .pid = container.pid, .description = Describe(kRuntime, chosen)};
  }
  return absl::FailedPreconditionError(fmt::format("{} has just ended", Describe(kRuntime, chosen)));
}

}  // namespace

absl::StatusOr<FoundContainer> FindPodmanContainer(const TargetName& target, const std::string& socket) {
  const auto sockets = AnsweringSocketsOf(Runtime::kPodman, socket);
  if (sockets.ok()) return FindWithEngineApi(kRuntime, sockets->front(), target.name);
  if (!socket.empty()) return sockets.status();
  auto found = FindWithCommand(target.name);
  if (found.ok() || !absl::IsUnavailable(found.status())) return found;
  return absl::UnavailableError(
      fmt::format("{}; {}", std::string(sockets.status().message()), std::string(found.status().message())));
}

}  // namespace mirrorfs
