#include "fusefs/daemon/transfer_work.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "fusefs/remote/remote_session.h"
#include "fusefs/transfer/transfer.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

std::string Utf8(const std::string& text) {
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', true, json::error_handler_t::replace)).get<std::string>();
}

// A path without slashes at its end, in two: the directory, and the name in it.
struct Split {
  std::string directory;
  std::string name;
};
Split SplitPath(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// "DIR/." and "DIR/" mean what is in it, and "DIR" itself; as cp has it.
bool MeansContents(const std::string& path) { return path.ends_with("/.") || path == "/" || path == "."; }
std::string WithoutDot(std::string path) {
  if (path.ends_with("/.")) path.resize(path.size() - 2);
  return path.empty() ? "/" : path;
}

absl::Status Told(const absl::Status& status, const std::string& path) {
  if (status.ok()) return status;
  return ErrnoStatus(ToErrno(status), path);
}

// Where a copy goes: into the target if that is a directory, unless its contents are meant.
absl::StatusOr<Split> Destination(const std::string& source, const std::string& target, bool target_is_directory) {
  if (!MeansContents(source) && target_is_directory) return Split{target, SplitPath(source).name};
  Split split = SplitPath(WithoutDot(target));
  if (!split.name.empty() && split.name != "." && split.name != "..") return split;
  return ErrnoStatus(EINVAL, fmt::format("{}: name a directory below it", target));
}

struct Transfer {
  const DaemonOptions& options;
  FileSystem& files;
  const TransferListener& listener;
  TransferCounts& counts;
};

absl::Status Get(const Transfer& transfer) {
  const std::string source = transfer.options.remote_path;
  struct stat is = {};
  std::string target = transfer.options.local_path;
  const bool directory = ::stat(target.c_str(), &is) == 0 && S_ISDIR(is.st_mode);
  // The contents of "." and such have no name here: the physical path has one.
  if (directory && MeansContents(source)) {
    const std::unique_ptr<char, decltype(&::free)> physical(::realpath(target.c_str(), nullptr), &::free);
    if (physical != nullptr) target = physical.get();
  }
  ASSIGN_OR_RETURN(const Split where, Destination(source, target, directory));
  const UniqueFd parent(::open(where.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return Told(LastErrno("open"), where.directory);
  return Told(
      Download(transfer.files, WithoutDot(source), parent.get(), where.name, transfer.listener, transfer.counts),
      source);
}

absl::Status Put(const Transfer& transfer) {
  const std::string source = transfer.options.local_path;
  const std::string target = transfer.options.remote_path;
  absl::StatusOr<Entry> there = FindFile(transfer.files, target, /*follow_last=*/true);
  const bool directory = there.ok() && there->attributes.type == FileType::kDirectory;
  if (!directory && target.ends_with('/')) return Told(ErrnoStatus(ENOTDIR), target);
  ASSIGN_OR_RETURN(const Split where, Destination(source, target, directory));
  const Split local = SplitPath(WithoutDot(source));
  const UniqueFd parent(::open(local.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat is = {};
  if (!parent || ::fstatat(parent.get(), local.name.c_str(), &is, AT_SYMLINK_NOFOLLOW) != 0) {
    return Told(LastErrno("open"), source);
  }
  return Told(
      Upload(transfer.files, parent.get(), local.name, where.directory, where.name, transfer.listener, transfer.counts),
      target);
}

absl::Status Cat(const Transfer& transfer) {
  const std::string& path = transfer.options.remote_path;
  const absl::StatusOr<Entry> file = FindFile(transfer.files, path, /*follow_last=*/true);
  if (!file.ok()) return Told(file.status(), path);
  return Told(WriteContent(transfer.files, *file, transfer.options.output_fd), path);
}

absl::Status Find(const Transfer& transfer) {
  const std::string& path = transfer.options.remote_path;
  return Told(FindFile(transfer.files, path, /*follow_last=*/true).status(), path);
}

absl::Status Do(const Transfer& transfer) {
  const std::string& what = transfer.options.transfer;
  if (what == "get") return Get(transfer);
  if (what == "put") return Put(transfer);
  return what == "cat" ? Cat(transfer) : Find(transfer);
}

}  // namespace

DaemonExit RunTransferWork(const DaemonOptions& options, ControlChannel& control) {
  const auto fail = [&control](const absl::Status& status, DaemonExit exit) {
    control.SendFailed(Utf8(std::string(status.message())), exit);
    return exit;
  };
  auto remote = RemoteSession::Connect(options.remote);
  if (!remote.ok()) return fail(remote.status(), ExitOfConnect(remote.status()));
  const TransferListener listener = {.failed =
                                         [&control](const std::string& path, const std::string& why) {
                                           control.SendEvent("failed_path", {{"path", Utf8(path)}, {"why", why}});
                                         },
                                     .skipped =
                                         [&control](const std::string& path, const std::string& why) {
                                           control.SendEvent("skipped", {{"path", Utf8(path)}, {"why", why}});
                                         }};
  TransferCounts counts;
  const Transfer transfer{options, (*remote)->Files(), listener, counts};
  const absl::Status done = Do(transfer);
  (*remote)->Close();
  if (!done.ok()) return fail(done, DaemonExit::kFailed);
  control.SendEvent("copied", {{"files", counts.files.load()}, {"bytes", counts.bytes.load()}});
  return DaemonExit::kOk;
}

}  // namespace mirrorfs
