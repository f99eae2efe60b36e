#include "launcher/system/runtime_list.h"

#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/printable.h"
#include "launcher/split_text.h"
#include "launcher/system/captured_command.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(20);

// docker has a text, podman a list.
std::string FirstName(const nlohmann::json& container) {
  const auto names = container.find("Names");
  if (names != container.end() && names->is_array() && !names->empty() && names->front().is_string()) {
    return names->front().get<std::string>();
  }
  return TextField(container, "Names");
}

}  // namespace

std::vector<RuntimeContainer> ContainersIn(std::string_view lines) {
  std::vector<RuntimeContainer> containers;
  for (const std::string_view line : SplitText(lines, '\n')) {
    const auto container = FromLine(line);
    if (!container) continue;
    containers.push_back({FirstName(*container), TextField(*container, "Image"), TextField(*container, "Status")});
  }
  return containers;
}

absl::StatusOr<std::vector<RuntimeContainer>> ListContainers(const std::string& runtime) {
  const std::string program = SearchPath(runtime);
  if (program.empty()) {
    return Failure(ExitCode::kUnreachable, fmt::format("there is no program {} in $PATH.", runtime));
  }
  ASSIGN_OR_RETURN(const CapturedEnd end, RunCaptured({.program = program,
                                                       .command = {runtime, "ps", "--format", "{{json .}}"},
                                                       .variables = {},
                                                       .input = {},
                                                       .limit = kLimit}));
  if (end.Succeeded()) return ContainersIn(end.output);
  std::string why = end.timed_out ? "it does not answer" : Printable(end.errors.substr(0, end.errors.find('\n')));
  return Failure(ExitCode::kUnreachable, fmt::format("{} ps failed: {}", runtime, why));
}

}  // namespace mirrorfs
