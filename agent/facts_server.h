// Tells clients what the target's process is like: its environment may hold secrets, so it goes over TLS to who has the
// certificate and the token, and never into a log.
#ifndef MIRRORFS_AGENT_FACTS_SERVER_H_
#define MIRRORFS_AGENT_FACTS_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/service/acceptor.h"
#include "agent/service/agent_server.h"
#include "agent/tls_stream.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A client sends the 64 digits of its token and gets the length of the text in 8 bytes (big-endian) and the text, or
// the end of the stream. One client at a time.
class FactsServer {
 public:
  // `listener`: a listening socket. `options`: certificate, key, authority and the token's SHA-256 count.
  static absl::StatusOr<std::unique_ptr<FactsServer>> Start(UniqueFd listener, const AgentServerOptions& options,
                                                            std::string facts);

 private:
  FactsServer(TlsContext context, std::string token_sha256, std::string facts)
      : context_(std::move(context)), token_sha256_(std::move(token_sha256)), facts_(std::move(facts)) {}
  void Serve(UniqueFd connection) const;

  const TlsContext context_;
  const std::string token_sha256_;
  const std::string facts_;
  std::unique_ptr<Acceptor> acceptor_;  // ends first
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_FACTS_SERVER_H_
