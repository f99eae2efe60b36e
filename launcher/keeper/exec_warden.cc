#include "launcher/keeper/exec_warden.h"

#include <sys/wait.h>
#include <unistd.h>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/keeper/layer_note.h"
#include "launcher/keeper/terminal_line.h"
#include "launcher/state/mount_record.h"
#include "launcher/system/child_process.h"
#include "launcher/system/process_identity.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(3);

std::string LossOf(const MountRecord& record) {
  if (record.agent_in_container) return fmt::format("files of {} give errors from now on", record.target);
  return fmt::format("an agent of {} that dies is not started again", record.target);
}

void TakeOver(const ExecWardenDuty& duty) {
  TerminalLine terminal(UniqueFd(::dup(duty.terminal_fd)));
  const auto record = ReadRecord(duty.paths.record);
  if (record.ok() && IsAlive(record->daemon)) {
    terminal.Print(fmt::format("the keeper of this run was killed: the program runs on, but {}.", LossOf(*record)));
    WaitForEnd(record->daemon, absl::InfiniteDuration());
  }
  if (record.ok()) EndProcess(record->agent, kGrace);
  SettleAndTell(duty.layer_directory, terminal);
  RemoveState(duty.paths);
}

}  // namespace

absl::Status SplitOffKeeper(const ExecWardenDuty& duty) {
  const pid_t keeper = ::fork();  // there are no threads
  if (keeper < 0) return LastErrno("fork");
  if (keeper == 0) return absl::OkStatus();
  for (const int fd : duty.others) ::close(fd);
  if (!WIFEXITED(Reap(keeper))) TakeOver(duty);
  ::_exit(0);
}

}  // namespace mirrorfs
