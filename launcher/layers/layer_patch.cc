#include "launcher/layers/layer_patch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/ending_signals.h"
#include "launcher/layers/layer_tool.h"
#include "launcher/plan/service_arguments.h"
#include "launcher/system/child_process.h"
#include "launcher/system/work_place.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr char kNothing[] = "/dev/null";

struct DiffSides {
  std::string old_file;
  std::string new_file;
  std::string old_name;
  std::string new_name;
};

// diff(1) to our standard output. It ends with 1 where there are differences.
absl::Status Diff(const DiffSides& sides, EndingSignals& signals) {
  std::fflush(stdout);
  ASSIGN_OR_RETURN(const pid_t pid, StartChild({.program = "/usr/bin/env",
                                                .command = {"env", "diff", "-u", "--label", sides.old_name, "--label",
                                                            sides.new_name, "--", sides.old_file, sides.new_file},
                                                .output = STDOUT_FILENO,
                                                .descriptors = {}}));
  ASSIGN_OR_RETURN(const int status, WaitForChild(pid, signals));
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) <= 1;
  return well ? absl::OkStatus() : Failure(ExitCode::kFailed, "diff: the program diff is needed for --patch.");
}

bool NeedsContainer(const LayerChange& change) {
  return change.kind != ChangeKind::kAdded && change.type == FileType::kRegular;
}

// By place in the list of changes: what the container has, or nothing.
using OldFiles = std::map<size_t, std::string>;

// As it comes out of a message.
std::string InMessage(const std::string& path) { return TextField(*FromLine(ToLine({{"path", path}})), "path"); }

void TakeIn(const nlohmann::json& message, const std::vector<LayerChange>& changes, OldFiles& files) {
  const std::string event = TextField(message, "event");
  if (event != "fetched" && event != "gone") return;
  const auto number = static_cast<size_t>(NumberField(message, "number"));
  const bool same = number < changes.size() && TextField(message, "path") == InMessage(changes[number].path);
  if (same) files[number] = event == "gone" ? kNothing : TextField(message, "file");
}

// Each one that is needed is in it. Its files lie in `place`.
absl::StatusOr<OldFiles> FetchOldFiles(const Layer& layer, const std::vector<LayerChange>& changes,
                                       const std::string& place, const Invoker& invoker) {
  OldFiles files;
  if (std::none_of(changes.begin(), changes.end(), NeedsContainer)) return files;
  MountArguments target;
  target.target = layer.info().target;
  ASSIGN_OR_RETURN(target, WithSettings(std::move(target), CurrentEnvironment(), invoker));
  ASSIGN_OR_RETURN(MountPlan plan, MakeServicePlan(target, invoker));
  RETURN_IF_ERROR(RunLayerTool({.plan = std::move(plan),
                                .layer_directory = layer.directory(),
                                .words = {"--layer-work", "fetch", "--fetch-into", place}},
                               invoker, [&](const nlohmann::json& message) { TakeIn(message, changes, files); }));
  for (size_t number = 0; number < changes.size(); ++number) {
    if (!NeedsContainer(changes[number]) || files.contains(number)) continue;
    return Failure(ExitCode::kFailed,
                   fmt::format("diff: {}: what the container has of it was not fetched. The layer has changed "
                               "meanwhile; try again.",
                               changes[number].path));
  }
  return files;
}

}  // namespace

absl::Status PrintPatch(const Layer& layer, const std::vector<LayerChange>& changes, const Invoker& invoker) {
  EndingSignals signals;
  ASSIGN_OR_RETURN(const WorkPlace place, WorkPlace::ForFiles());
  ASSIGN_OR_RETURN(const OldFiles old_files, FetchOldFiles(layer, changes, place.path(), invoker));
  for (size_t number = 0; number < changes.size(); ++number) {
    const LayerChange& change = changes[number];
    if (change.type != FileType::kRegular) continue;
    const std::string old_file = NeedsContainer(change) ? old_files.at(number) : kNothing;
    const bool gone = change.kind == ChangeKind::kDeleted;
    const std::string new_file = gone ? kNothing : layer.directory() + "/tree" + change.path;
    RETURN_IF_ERROR(Diff({.old_file = old_file,
                          .new_file = new_file,
                          .old_name = old_file == kNothing ? kNothing : "a" + change.origin,
                          .new_name = gone ? kNothing : "b" + change.path},
                         signals));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
