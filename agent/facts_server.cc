#include "agent/facts_server.h"

#include <endian.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "agent/service/token.h"
#include "protos/certificates/certificates.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kTokenDigits = 64;
// Whoever is not quick is no client of ours, and would keep others waiting.
constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

absl::StatusOr<std::unique_ptr<FactsServer>> FactsServer::Start(UniqueFd listener, const AgentServerOptions& options,
                                                                std::string facts) {
  ASSIGN_OR_RETURN(TlsContext context,
                   MakeServerContext(options.tls_certificate, options.tls_key, options.tls_client_ca));
  std::unique_ptr<FactsServer> server(new FactsServer(std::move(context), options.token_sha256, std::move(facts)));
  ASSIGN_OR_RETURN(server->acceptor_,
                   Acceptor::Start(std::move(listener), [serving = server.get()](int, UniqueFd connection) {
                     serving->Serve(std::move(connection));
                   }));
  return server;
}

// What fails here the client hears of as an end of the stream, and says so to its user.
void FactsServer::Serve(UniqueFd connection) const {
  auto stream = TlsStream::Open(context_.get(), TlsStream::Side::kServer, std::move(connection), kPatience);
  if (!stream.ok()) return;
  const auto token = stream->Read(kTokenDigits);
  if (!token.ok() || !TokensEqual(token_sha256_, Sha256Hex(*token))) return;
  const uint64_t size = htobe64(facts_.size());
  if (!stream->Write(std::string_view(reinterpret_cast<const char*>(&size), sizeof size)).ok()) return;
  (void)stream->Write(facts_);
}

}  // namespace mirrorfs
