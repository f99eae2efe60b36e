#include "launcher/keeper/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/child_end.h"
#include "launcher/keeper/unmounter.h"
#include "launcher/keeper/upkeep.h"
#include "launcher/layers/layer_store.h"
#include "launcher/system/holders.h"
#include "launcher/system/mount_cover.h"
#include "launcher/system/mount_table.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// The daemon has that long to send off what is still on its way once it is unmounted.
constexpr absl::Duration kDaemonEndLimit = absl::Seconds(15);

}  // namespace

Keeper::Keeper(KeeperSetup setup, ChildLog log, spdlog::logger& logger, Started started, Progress progress)
    : setup_(std::move(setup)),
      log_(std::move(log)),
      logger_(logger),
      started_(std::move(started)),
      agent_(loop_, logger, setup_.plan, setup_.paths.agent_socket, log_,
             {.ready = [this] { StartDaemon(); },
              .failed = [this](const absl::Status& why) { FailStart(why); },
              .changed = [this] { SaveRecord(); },
              .progress =
                  [this, progress = std::move(progress)](std::string_view step, std::string_view detail) {
                    logger_.info("agent {}: {}", step, detail);
                    if (started_) progress(step, detail);  // somebody waits
                  }}),
      daemon_(loop_, logger, setup_.plan, log_,
              {.ready = [this](const nlohmann::json& facts) { OnMounted(facts); },
               .failed = [this](const absl::Status& why) { FailStart(why); },
               .ended = [this](int wait_status) { OnDaemonEnded(wait_status); },
               .copying = [this](const CopyStep& step) { logger_.info("{}", CopyLine(step, SIZE_MAX)); }}),
      control_(loop_, [this](const nlohmann::json& request, Reply reply) { OnRequest(request, std::move(reply)); }) {}

absl::Status Keeper::Run() {
  if (const absl::Status status = Prepare(); !status.ok()) {
    Finish(status);
    ReportStarted(status);
    return status;
  }
  if (setup_.plan.StartsAgent()) {
    agent_.Start();
  } else {
    StartDaemon();
  }
  loop_.Run();
  return result_;
}

absl::Status Keeper::Prepare() {
  record_ = RecordOf(setup_.plan, setup_.plan.mountpoint, "");
  RETURN_IF_ERROR(WriteRecord(setup_.paths.record, record_));
  ::unlink(setup_.paths.control_socket.c_str());
  RETURN_IF_ERROR(control_.Listen(setup_.paths.control_socket));
  WatchSignals();
  if (setup_.starter) {
    loop_.Watch(setup_.starter.get(), POLLIN, [this] { FailStart(Failure(ExitCode::kFailed, "interrupted.")); });
  }
  mount_table_.reset(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!mount_table_) return LastErrno("/proc/self/mountinfo");
  return absl::OkStatus();
}

void Keeper::WatchSignals() {
  signals_.emplace();
  loop_.Watch(signals_->fd(), POLLIN, [this] { OnSignal(); });
}

void Keeper::StartDaemon() {
  if (::geteuid() == 0) {
    const absl::Status covered = CoverWithTmpfs(setup_.plan.mountpoint, record_.cover);
    if (!covered.ok()) return FailStart(covered);
    SaveRecord();
  }
  daemon_.Start(setup_.plan.StartsAgent() ? "unix:" + setup_.paths.agent_socket : setup_.plan.endpoint);
  SaveRecord();
}

void Keeper::OnMounted(const nlohmann::json& facts) {
  facts_ = facts;
  if (::geteuid() != 0) {
    const absl::Status covered = CoverWithMode(setup_.directory, record_.cover);
    if (!covered.ok()) return FailStart(covered);
  }
  setup_.directory.reset();  // held, it would look like a user of the mount
  SaveRecord();
  loop_.Watch(mount_table_.get(), POLLPRI, [this] { OnMountTableChange(); });
  KeepTrimmed(log_, loop_);
  logger_.info("{} is mounted on {}", setup_.plan.target, setup_.plan.mountpoint);
  ReportStarted(absl::OkStatus());
}

void Keeper::FailStart(const absl::Status& why) {
  if (finished_) return;
  daemon_.Kill();
  // It has not been handed over to anybody yet: here, and only here, an error unmounts.
  const absl::Status unmounted = UnmountFuse(setup_.plan.mountpoint, UnmountMode::kLazy);
  if (!unmounted.ok()) logger_.error("{}", MessageOf(unmounted));
  Finish(why);
  ReportStarted(why);
}

void Keeper::ReportStarted(const absl::Status& status) {
  if (setup_.starter) loop_.Unwatch(setup_.starter.get());
  if (const Started started = std::exchange(started_, nullptr)) started(status);
  setup_.starter.reset();
}

void Keeper::OnDaemonEnded(int wait_status) {
  SaveRecord();
  if (unmounted_ || !IsMounted()) {
    UncoverMountpoint();
    return Finish(absl::OkStatus());
  }
  logger_.error("the daemon {}; {} answers ENOTCONN until it is unmounted", DescribeEnd(wait_status),
                setup_.plan.mountpoint);
}

void Keeper::OnMountTableChange() {
  if (daemon_.state() != DaemonRunner::State::kEnded || unmounting_ || IsMounted()) return;
  logger_.info("{} was unmounted", setup_.plan.mountpoint);
  UncoverMountpoint();
  Finish(absl::OkStatus());
}

void Keeper::OnSignal() {
  if (!signals_->Next()) return;
  if (started_) return FailStart(Failure(ExitCode::kFailed, "interrupted."));
  // The second Ctrl-C does not wait for programs that use the mount.
  const UnmountMode mode = ++interrupts_ > 1 ? UnmountMode::kLazy : UnmountMode::kPlain;
  RequestUnmount(mode, false, [this](const nlohmann::json& answer) {
    const absl::Status status = StatusFromJson(answer);
    if (!status.ok()) logger_.error("{}", MessageOf(status));
  });
}

void Keeper::SaveRecord() {
  if (!finished_) SaveProcesses(agent_, daemon_, setup_.paths.record, record_, logger_);
}

void Keeper::OnRequest(const nlohmann::json& request, Reply reply) {
  const std::string word = TextField(request, "request");
  if (word == "status") return reply(Describe());
  if (word == "stats") return ReplyStats(reply);
  if (word == "umount") {
    if (started_) return reply(StatusToJson(Failure(ExitCode::kBusy, "it is just being mounted.")));
    const UnmountMode mode = FlagField(request, "lazy") ? UnmountMode::kLazy : UnmountMode::kPlain;
    return RequestUnmount(mode, FlagField(request, "force"), std::move(reply));
  }
  reply(StatusToJson(Failure(ExitCode::kUsage, fmt::format("there is no request '{}'", word))));
}

nlohmann::json Keeper::Describe() const {
  const char* daemon = daemon_.state() == DaemonRunner::State::kServing ? "serving"
                       : daemon_.state() == DaemonRunner::State::kEnded ? "dead"
                                                                        : "starting";
  return {{"ok", true},
          {"daemon", daemon},
          {"agent", setup_.plan.StartsAgent() ? ToWord(agent_.state()) : "external"},
          {"detached", unmounted_},
          {"facts", facts_}};
}

void Keeper::ReplyStats(const Reply& reply) {
  daemon_.RequestStats([reply](const absl::StatusOr<nlohmann::json>& stats) {
    reply(stats.ok() ? nlohmann::json{{"ok", true}, {"stats", *stats}} : StatusToJson(stats.status()));
  });
}

void Keeper::RequestUnmount(UnmountMode mode, bool force, Reply reply) {
  if (unmounted_) {
    return reply(StatusToJson(Failure(ExitCode::kBusy, fmt::format("{} is detached already, and goes when its last "
                                                                   "user does.",
                                                                   setup_.plan.mountpoint))));
  }
  unmount_replies_.push_back(std::move(reply));
  if (force) {
    AbortConnection(setup_.plan.mountpoint);
    daemon_.Kill();
  }
  if (std::exchange(unmounting_, true)) return;  // the answer to the first is the answer to all
  TakeAgentOutOfTheWay();
  UnmountInChild(loop_, setup_.plan.mountpoint, mode,
                 [this, mode](const absl::Status& status) { OnUnmounted(status, mode); });
}

// An agent that serves a directory in which the mount itself lies may have walked into it, and would keep it busy.
void Keeper::TakeAgentOutOfTheWay() {
  if (agent_.process().pid == 0 || !IsHeldBy(agent_.process().pid, setup_.plan.mountpoint)) return;
  agent_.Stop();
  agent_taken_away_ = true;
}

void Keeper::OnUnmounted(const absl::Status& status, UnmountMode mode) {
  unmounting_ = false;
  const bool goes_on = !status.ok() || mode == UnmountMode::kLazy;
  if (std::exchange(agent_taken_away_, false) && goes_on) agent_.Resume();
  if (!status.ok()) {
    for (const Reply& reply : std::exchange(unmount_replies_, {})) reply(StatusToJson(status));
    return;
  }
  unmounted_ = true;
  UncoverMountpoint();
  if (daemon_.state() != DaemonRunner::State::kServing) return Finish(absl::OkStatus());
  // Its end is the end of the keeper. Detached, that may be long after; the one who asked does not wait for it.
  if (mode == UnmountMode::kLazy) {
    for (const Reply& reply : std::exchange(unmount_replies_, {})) reply(StatusToJson(absl::OkStatus()));
  } else {
    loop_.After(kDaemonEndLimit, [this] { daemon_.Kill(); });
  }
}

bool Keeper::IsMounted() const {
  const auto row = MountAt(ReadMountTable(), setup_.plan.mountpoint);
  return row && row->IsMirrorfs();
}

void Keeper::UncoverMountpoint() {
  const absl::Status uncovered = Uncover(setup_.plan.mountpoint, std::exchange(record_.cover, {}));
  if (!uncovered.ok()) logger_.error("{}", MessageOf(uncovered));
}

// The daemon has let go of it.
std::string Keeper::SettleOwnLayer() {
  if (setup_.plan.layer_directory.empty()) return {};
  std::string note = SettleLayer(setup_.plan.layer_directory);
  if (!note.empty()) logger_.info("{}", note);
  return note;
}

void Keeper::Finish(const absl::Status& result) {
  if (std::exchange(finished_, true)) return;
  result_ = result;
  daemon_.Kill();
  agent_.Stop();
  UncoverMountpoint();
  RemoveState(setup_.paths);
  nlohmann::json answer = StatusToJson(absl::OkStatus());
  if (const std::string note = SettleOwnLayer(); !note.empty()) answer["note"] = note;
  for (const Reply& reply : std::exchange(unmount_replies_, {})) reply(answer);
  control_.Close();
  loop_.Stop();
}

}  // namespace mirrorfs
