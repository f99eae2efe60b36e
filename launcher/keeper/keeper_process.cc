#include "launcher/keeper/keeper_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/hand_over.h"
#include "launcher/keeper/progress.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/line_channel.h"

namespace mirrorfs {
namespace {

// Descriptors of the keeper's process, in the order in which StartKeeper hands them over.
enum KeeperDescriptor : int {
  kPlanFd = kFirstChildDescriptor,
  kStarterFd,
  kLockFd,
  kDirectoryFd,
};

absl::Status KeepInThisProcess(KeeperSetup setup, ChildLog log, Keeper::Started started, Keeper::Progress progress) {
  spdlog::logger logger = MakeKeeperLogger(setup.plan);
  Keeper keeper(std::move(setup), std::move(log), logger, std::move(started), std::move(progress));
  return keeper.Run();
}

}  // namespace

absl::Status StartKeeper(KeeperSetup setup) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return LastErrno("socketpair");
  LineChannel channel{UniqueFd(ends[0])};
  {
    const UniqueFd keeper_end(ends[1]);
    ASSIGN_OR_RETURN(const UniqueFd plan, BytesAsFile(Serialize(setup.plan)));
    RETURN_IF_ERROR(StartChild({.program = OwnProgram(),
                                .command = {kKeeperName, setup.plan.target, setup.plan.mountpoint},
                                .output = -1,
                                .descriptors = {plan.get(), keeper_end.get(), setup.lock.get(), setup.directory.get()}})
                        .status());
  }
  // From here on the lock is the keeper's.
  setup.lock.reset();
  setup.directory.reset();
  return WaitForKeeper(channel, setup.plan.progress);
}

absl::Status RunKeeperInForeground(KeeperSetup setup) {
  ASSIGN_OR_RETURN(ChildLog log, ChildLog::ToTerminal());
  const ProgressForm form = setup.plan.progress;
  return KeepInThisProcess(
      std::move(setup), std::move(log), [](const absl::Status&) {},
      [form](std::string_view step, std::string_view detail) { PrintProgress(form, step, detail); });
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
    if (!sent.ok()) MakeKeeperLogger({}).warn("nobody waits for the mount any more");
  };
  const Keeper::Progress progress = [channel](std::string_view step, std::string_view detail) {
    (void)channel->Send(ToLine(ProgressMessage(step, detail))).ok();  // nobody waits: nobody misses it
  };
  auto paths = PathsBesideLock(lock);
  KeeperSetup setup{.plan = {},
                    .paths = std::move(paths),
                    .lock = std::move(lock),
                    .directory = UniqueFd(kDirectoryFd),
                    .starter = UniqueFd(kStarterFd)};
  auto plan = ParseMountPlan(BytesOfFile(plan_file));
  auto log = ChildLog::ToFile(setup.paths.log);
  for (const absl::Status& status : {plan.status(), log.status()}) {
    if (status.ok()) continue;
    report(status);
    return status;
  }
  setup.plan = *std::move(plan);
  RedirectOutput(*log);
  return KeepInThisProcess(std::move(setup), *std::move(log), report, progress);
}

}  // namespace mirrorfs
