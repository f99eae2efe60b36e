#include "launcher/keeper/unmounter.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/child_end.h"
#include "protos/shared/line_channel.h"

namespace mirrorfs {
namespace {

absl::Status Outcome(LineChannel& channel, int wait_status) {
  channel.Receive();
  const auto line = channel.Next();
  const auto object = line ? FromLine(*line) : std::nullopt;
  if (object) return StatusFromJson(*object);
  return Failure(ExitCode::kFailed, fmt::format("the unmounting process {}.", DescribeEnd(wait_status)));
}

}  // namespace

void UnmountInChild(EventLoop& loop, const std::string& mountpoint, UnmountMode mode,
                    std::function<void(const absl::Status&)> done) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return done(Failure(ExitCode::kFailed, fmt::format("socketpair: {}.", ErrnoText(errno))));
  }
  const auto parent = std::make_shared<LineChannel>(UniqueFd(ends[0]));
  LineChannel child{UniqueFd(ends[1])};
  const pid_t pid = ::fork();  // the keeper has no threads
  if (pid == 0) {
    const absl::Status sent = child.Send(ToLine(StatusToJson(UnmountFuse(mountpoint, mode))));
    ::_exit(sent.ok() ? 0 : 1);
  }
  if (pid < 0) return done(Failure(ExitCode::kFailed, fmt::format("fork: {}.", ErrnoText(errno))));
  const absl::Status watched =
      loop.WatchChild(pid, [parent, done](int wait_status) { done(Outcome(*parent, wait_status)); });
  if (!watched.ok()) done(watched);
}

}  // namespace mirrorfs
