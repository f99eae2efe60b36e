#include "launcher/control_client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/line_channel.h"

namespace mirrorfs {
namespace {

absl::StatusOr<UniqueFd> Connect(const std::string& path, absl::Duration limit) {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof(address.sun_path)) return Failure(ExitCode::kFailed, path + ": the path is too long.");
  path.copy(address.sun_path, path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval timeout = absl::ToTimeval(limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Failure(ExitCode::kUnreachable, fmt::format("the keeper does not answer ({}).", ErrnoText(errno)));
  }
  return socket;
}

}  // namespace

absl::StatusOr<nlohmann::json> AskKeeper(const std::string& socket_path, const nlohmann::json& request,
                                         absl::Duration limit) {
  ASSIGN_OR_RETURN(UniqueFd socket, Connect(socket_path, limit));
  LineChannel channel(std::move(socket));
  if (!channel.Send(ToLine(request)).ok()) return Failure(ExitCode::kUnreachable, "the keeper does not listen.");
  const absl::Time until = absl::Now() + limit;
  while (true) {
    if (const auto line = channel.Next()) {
      const auto answer = FromLine(*line);
      if (!answer) return Failure(ExitCode::kUnreachable, "the keeper's answer is not understood.");
      RETURN_IF_ERROR(StatusFromJson(*answer));
      return *answer;
    }
    if (channel.AtEnd()) return Failure(ExitCode::kUnreachable, "the keeper went away without an answer.");
    if (absl::Now() > until) return Failure(ExitCode::kUnreachable, "the keeper did not answer in time.");
    channel.Receive();
  }
}

}  // namespace mirrorfs
