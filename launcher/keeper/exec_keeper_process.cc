#include "launcher/keeper/exec_keeper_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/exec_keeper.h"
#include "launcher/keeper/exec_warden.h"
#include "launcher/keeper/hand_over.h"
#include "launcher/namespace/own_limits.h"
#include "launcher/system/child_process.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Descriptors of the keeper's process, in the order in which StartExecKeeper hands them over.
enum KeeperDescriptor : int {
  kOrderFd = kFirstChildDescriptor,
  kWordFd,
  kLockFd,
  kFuseFd,
  kFactsFd,
  kTerminalFd,
};
constexpr std::array kDescriptors = {kOrderFd, kWordFd, kLockFd, kFuseFd, kFactsFd, kTerminalFd};

std::string Serialize(const ExecKeeperOrder& order) {
  const std::string service = Serialize(order.service);
  const nlohmann::json object = {{"service", nlohmann::json::binary({service.begin(), service.end()})},
                                 {"run", order.run},
                                 {"program", order.program},
                                 {"launcher_pid", order.launcher_pid}};
  std::string bytes;
  nlohmann::json::to_cbor(object, bytes);
  return bytes;
}

absl::StatusOr<ExecKeeperOrder> ParseOrder(const std::string& bytes) {
  try {
    const nlohmann::json object = nlohmann::json::from_cbor(bytes);
    const auto& service = object.at("service").get_binary();
    ASSIGN_OR_RETURN(MountPlan plan, ParseMountPlan(std::string(service.begin(), service.end())));
    return ExecKeeperOrder{.service = std::move(plan),
                           .run = object.at("run"),
                           .program = object.at("program"),
                           .launcher_pid = object.at("launcher_pid")};
  } catch (const nlohmann::json::exception& error) {
    return Failure(ExitCode::kFailed,
                   fmt::format("the keeper was given an order that it cannot read: {}", error.what()));
  }
}

// The program's limits are meant for the program: agent and daemon need descriptors, memory and files of their own.
void RaiseLimits() {
  for (const auto resource : {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK,
                              RLIMIT_NPROC, RLIMIT_MEMLOCK, RLIMIT_SIGPENDING}) {
    RaiseLimit(resource);
  }
}

// A run ends with its last process and not before, whoever asks.
void IgnoreSignals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
}

absl::Status Keep(ExecKeeperOrder order, StatePaths paths, ChildLog log) {
  spdlog::logger logger = MakeKeeperLogger(order.service);
  ExecKeeper keeper({.service = std::move(order.service),
                     .run = std::move(order.run),
                     .program = std::move(order.program),
                     .launcher_pid = order.launcher_pid,
                     .paths = std::move(paths),
                     .lock = UniqueFd(kLockFd),
                     .launcher = UniqueFd(kWordFd),
                     .fuse = UniqueFd(kFuseFd),
                     .facts = UniqueFd(kFactsFd),
                     .terminal = TerminalLine(UniqueFd(kTerminalFd))},
                    std::move(log), logger);
  return keeper.Run();
}

absl::Status Refuse(const absl::Status& why, const StatePaths& paths) {
  LineChannel channel{UniqueFd(kWordFd)};
  (void)channel.Send(ToLine(StatusToJson(why))).ok();  // nobody waits any more if that fails
  RemoveState(paths);
  return why;
}

}  // namespace

absl::StatusOr<ExecKeeperConnection> StartExecKeeper(const ExecKeeperOrder& order, UniqueFd lock) {
  std::array<int, 2> word;
  std::array<int, 2> fuse;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, word.data()) != 0) return LastErrno("socketpair");
  ExecKeeperConnection connection{.word = LineChannel{UniqueFd(word[0])}, .fuse = UniqueFd(), .facts = UniqueFd()};
  const UniqueFd word_end(word[1]);
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fuse.data()) != 0) return LastErrno("socketpair");
  connection.fuse.reset(fuse[0]);
  const UniqueFd fuse_end(fuse[1]);
  ASSIGN_OR_RETURN(const UniqueFd order_file, BytesAsFile(Serialize(order)));
  ASSIGN_OR_RETURN(connection.facts, BytesAsFile(""));
  const UniqueFd terminal = OwnTerminal();
  RETURN_IF_ERROR(StartChild({.program = OwnProgram(),
                              .command = {kExecKeeperName, order.service.target, order.run},
                              .output = -1,
                              .descriptors = {order_file.get(), word_end.get(), lock.get(), fuse_end.get(),
                                              connection.facts.get(), terminal.get()}})
                      .status());
  return connection;
}

absl::Status RunExecKeeperProcess() {
  ::prctl(PR_SET_NAME, "mirrorfs-keeper");
  for (const int fd : kDescriptors) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return Failure(ExitCode::kUsage, fmt::format("{} is started by 'mirrorfs exec' only.", kExecKeeperName));
    }
  }
  RaiseLimits();
  IgnoreSignals();
  UniqueFd lock(kLockFd);
  const StatePaths paths = PathsBesideLock(lock);
  (void)lock.release();  // Keep's
  auto order = ParseOrder(BytesOfFile(UniqueFd(kOrderFd)));
  if (!order.ok()) return Refuse(order.status(), paths);
  const absl::Status split = SplitOffKeeper({.paths = paths,
                                             .terminal_fd = kTerminalFd,
                                             .layer_directory = order->service.layer_directory,
                                             .others = {kWordFd, kFuseFd, kFactsFd}});
  if (!split.ok()) return Refuse(split, paths);
  auto log = ChildLog::ToFile(paths.log);
  if (!log.ok()) return Refuse(log.status(), paths);
  RedirectOutput(*log);
  return Keep(*std::move(order), paths, *std::move(log));
}

}  // namespace mirrorfs
