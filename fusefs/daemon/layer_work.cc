#include "fusefs/daemon/layer_work.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "fusefs/remote/remote_session.h"
#include "fusefs/view/container_tree.h"
#include "fusefs/view/layer_apply.h"
#include "fusefs/view/layer_copy.h"
#include "protos/layer/layer_changes.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

const char* ToWord(ApplyResult result) {
  switch (result) {
    case ApplyResult::kApplied:
      return "applied";
    case ApplyResult::kAlready:
      return "already";
    case ApplyResult::kRefused:
      return "refused";
    case ApplyResult::kFailed:
      return "failed";
  }
  return "";
}

absl::Status Apply(const DaemonOptions& options, RemoteSession& remote, ControlChannel& control) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Layer> layer, Layer::Open(options.layer_directory, LayerUse::kChange));
  return ApplyLayer(remote.Files(), *layer, {.force = options.force, .paths = options.paths},
                    [&control](const AppliedChange& change) {
                      control.SendEvent("change", {{"change", std::string(1, static_cast<char>(change.kind))},
                                                   {"path", change.path},
                                                   {"result", ToWord(change.result)},
                                                   {"message", change.message}});
                    });
}

bool IsGone(const absl::Status& fetched) {
  const int error = ToErrno(fetched);
  return error == ENOENT || error == ENOTDIR || error == ESTALE;
}

// Changes are told by their place in the list: a name need not be UTF-8, which JSON is.
absl::Status Fetch(const DaemonOptions& options, RemoteSession& remote, ControlChannel& control) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Layer> layer, Layer::Open(options.layer_directory, LayerUse::kRead));
  ASSIGN_OR_RETURN(const std::vector<LayerChange> changes, ListLayerChanges(*layer));
  ContainerTree tree(remote.Files());
  for (size_t number = 0; number < changes.size(); ++number) {
    const LayerChange& change = changes[number];
    const bool wanted = change.kind != ChangeKind::kAdded && change.type == FileType::kRegular;
    if (!wanted) continue;
    const std::string file = fmt::format("{}/{}", options.fetch_directory, number);
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return LastErrno(file);
    const absl::Status fetched = tree.Fetch(change.origin, fd.get());
    if (!fetched.ok() && !IsGone(fetched)) {
      return ErrnoStatus(ToErrno(fetched), fmt::format("{} cannot be read in the container", change.origin));
    }
    control.SendEvent(fetched.ok() ? "fetched" : "gone", {{"number", number}, {"path", change.path}, {"file", file}});
  }
  return absl::OkStatus();
}

}  // namespace

DaemonExit RunLayerWork(const DaemonOptions& options, ControlChannel& control) {
  const auto fail = [&control](const absl::Status& status, DaemonExit exit) {
    control.SendFailed(std::string(status.message()), exit);
    return exit;
  };
  auto remote = RemoteSession::Connect(options.remote);
  if (!remote.ok()) return fail(remote.status(), ExitOfConnect(remote.status()));
  const absl::Status done =
      options.layer_work == "apply" ? Apply(options, **remote, control) : Fetch(options, **remote, control);
  (*remote)->Close();
  return done.ok() ? DaemonExit::kOk : fail(done, ExitOfView(done));
}

}  // namespace mirrorfs
