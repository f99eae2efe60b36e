#include "agent/health.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "agent/listener.h"
#include "agent/tls_stream.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

absl::Status CheckHealth(const std::string& where) {
  ASSIGN_OR_RETURN(const sockaddr_in address, ParseAddress(where));
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return absl::UnavailableError(fmt::format("{}: {}", where, std::generic_category().message(errno)));
  }
  ASSIGN_OR_RETURN(const TlsContext context, MakeCuriousContext());
  // Of TLS 1.3's two sides the client is done first: the server's certificate has come, and whether ours is good enough
  // would be said later.
  return TlsStream::Open(context.get(), TlsStream::Side::kClient, std::move(socket), kPatience).status();
}

}  // namespace mirrorfs
