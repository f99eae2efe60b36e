#include "launcher/keeper/keeper_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/line_channel.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace mirrorfs {
namespace {

// Descriptors of the keeper's process, in the order in which StartKeeper hands them over.
enum KeeperDescriptor : int {
  kPlanFd = kFirstChildDescriptor,
  kStarterFd,
  kLockFd,
  kDirectoryFd,
};

spdlog::logger MakeLogger() { return spdlog::logger("keeper", std::make_shared<spdlog::sinks::stderr_sink_st>()); }

absl::StatusOr<UniqueFd> PlanAsFile(const MountPlan& plan) {
  UniqueFd file(::memfd_create("mirrorfs-plan", MFD_CLOEXEC));
  if (!file) return LastErrno("memfd_create");
  const std::string bytes = Serialize(plan);
  if (::pwrite(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return LastErrno("writing the plan");
  }
  return file;
}

absl::StatusOr<MountPlan> PlanFromFile(const UniqueFd& file) {
  std::string bytes;
  std::array<char, 4096> buffer;
  ssize_t count = 0;
  while ((count = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(bytes.size()))) > 0) {
    bytes.append(buffer.data(), static_cast<size_t>(count));
  }
  return ParseMountPlan(bytes);
}

absl::Status WaitUntilStarted(LineChannel& channel) {
  while (true) {
    if (const auto line = channel.Next()) {
      const auto object = FromLine(*line);
      return object ? StatusFromJson(*object) : Failure(ExitCode::kFailed, "the keeper's answer is not understood.");
    }
    if (channel.AtEnd()) return Failure(ExitCode::kFailed, "the keeper died before the mount was ready.");
    channel.Receive();
  }
}

absl::Status KeepInThisProcess(KeeperSetup setup, ChildLog log, Keeper::Started started) {
  spdlog::logger logger = MakeLogger();
  logger.set_level(setup.plan.verbose ? spdlog::level::debug : spdlog::level::info);
  logger.flush_on(spdlog::level::trace);
  Keeper keeper(std::move(setup), std::move(log), logger, std::move(started));
  return keeper.Run();
}

// stdout and stderr become the log.
void RedirectOutput(const ChildLog& log) {
  ::dup2(log.fd(), STDOUT_FILENO);
  ::dup2(log.fd(), STDERR_FILENO);
}

StatePaths PathsBesideLock(const UniqueFd& lock) {
  std::error_code ignored;  // an empty path: the log cannot be opened then, which is reported
  const std::filesystem::path file =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", lock.get()), ignored);
  const std::filesystem::path directory = file.parent_path();
  return PathsOfId(directory.parent_path().string(), directory.filename().string());
}

}  // namespace

absl::Status StartKeeper(KeeperSetup setup) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return LastErrno("socketpair");
  LineChannel channel{UniqueFd(ends[0])};
  {
    const UniqueFd keeper_end(ends[1]);
    ASSIGN_OR_RETURN(const UniqueFd plan, PlanAsFile(setup.plan));
    std::error_code ignored;  // an empty path cannot be started, which is reported
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    RETURN_IF_ERROR(StartChild({.program = self,
                                .command = {kKeeperName, setup.plan.target, setup.plan.mountpoint},
                                .output = -1,
                                .descriptors = {plan.get(), keeper_end.get(), setup.lock.get(), setup.directory.get()}})
                        .status());
  }
  // From here on the lock is the keeper's.
  setup.lock.reset();
  setup.directory.reset();
  return WaitUntilStarted(channel);
}

absl::Status RunKeeperInForeground(KeeperSetup setup) {
  ASSIGN_OR_RETURN(ChildLog log, ChildLog::ToTerminal());
  return KeepInThisProcess(std::move(setup), std::move(log), [](const absl::Status&) {});
}

absl::Status RunKeeperProcess() {
  ::prctl(PR_SET_NAME, kKeeperName);
  for (const int fd : {kPlanFd, kStarterFd, kLockFd, kDirectoryFd}) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return Failure(ExitCode::kUsage, fmt::format("{} is started by 'mirrorfs mount' only.", kKeeperName));
    }
  }
  const UniqueFd plan_file(kPlanFd);
  UniqueFd lock(kLockFd);
  const auto channel = std::make_shared<LineChannel>(UniqueFd(::fcntl(kStarterFd, F_DUPFD_CLOEXEC, 10)));
  const auto report = [channel](const absl::Status& status) {
    const absl::Status sent = channel->Send(ToLine(StatusToJson(status)));
    if (!sent.ok()) spdlog::logger(MakeLogger()).warn("nobody waits for the mount any more");
  };
  KeeperSetup setup{.plan = {},
                    .paths = PathsBesideLock(lock),
                    .lock = std::move(lock),
                    .directory = UniqueFd(kDirectoryFd),
                    .starter = UniqueFd(kStarterFd)};
  auto plan = PlanFromFile(plan_file);
  auto log = ChildLog::ToFile(setup.paths.log);
  for (const absl::Status& status : {plan.status(), log.status()}) {
    if (status.ok()) continue;
    report(status);
    return status;
  }
  setup.plan = *std::move(plan);
  RedirectOutput(*log);
  return KeepInThisProcess(std::move(setup), *std::move(log), report);
}

}  // namespace mirrorfs
