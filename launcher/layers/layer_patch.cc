#include "launcher/layers/layer_patch.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/layers/layer_plan.h"
#include "launcher/layers/layer_tool.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr char kNothing[] = "/dev/null";

// diff(1) to our standard output. It ends with 1 where there are differences.
absl::Status Diff(const std::string& old_file, const std::string& new_file, const std::string& old_name,
                  const std::string& new_name) {
  std::fflush(stdout);
  ASSIGN_OR_RETURN(
      const pid_t pid,
      StartChild({.program = "/usr/bin/env",
                  .command = {"env", "diff", "-u", "--label", old_name, "--label", new_name, "--", old_file, new_file},
                  .output = STDOUT_FILENO,
                  .descriptors = {}}));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) <= 1;
  return well ? absl::OkStatus() : Failure(ExitCode::kFailed, "diff: the program diff is needed for --patch.");
}

bool NeedsContainer(const LayerChange& change) {
  return change.kind != ChangeKind::kAdded && change.type == FileType::kRegular;
}

}  // namespace

absl::Status PrintPatch(const Layer& layer, const std::vector<LayerChange>& changes, const Invoker& invoker) {
  std::string place = "/tmp/mirrorfs-diff-XXXXXX";
  if (::mkdtemp(place.data()) == nullptr) return LastErrno(place);
  const absl::Cleanup clean_up = [&place] {
    std::error_code ignored;
    std::filesystem::remove_all(place, ignored);
  };
  std::map<std::string, std::string> fetched;  // path in the view: file
  bool needed = false;
  for (const LayerChange& change : changes) needed = needed || NeedsContainer(change);
  if (needed) {
    ASSIGN_OR_RETURN(MountPlan plan, PlanForLayer(layer.info().target, LayerAccess::kRead, {}, invoker));
    RETURN_IF_ERROR(RunLayerTool({.plan = std::move(plan),
                                  .layer_directory = layer.directory(),
                                  .words = {"--layer-work", "fetch", "--fetch-into", place}},
                                 invoker, [&](const nlohmann::json& message) {
                                   if (TextField(message, "event") != "fetched") return;
                                   fetched[TextField(message, "path")] = TextField(message, "file");
                                 }));
  }
  for (const LayerChange& change : changes) {
    if (change.type != FileType::kRegular) continue;
    const auto old = fetched.find(change.path);
    const std::string old_file = old == fetched.end() ? kNothing : old->second;
    const bool gone = change.kind == ChangeKind::kDeleted;
    const std::string new_file = gone ? kNothing : layer.directory() + "/tree" + change.path;
    RETURN_IF_ERROR(Diff(old_file, new_file, old_file == kNothing ? kNothing : "a" + change.origin,
                         gone ? kNothing : "b" + change.path));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
