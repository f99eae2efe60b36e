#include "agent/secrets.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "protos/certificates/certificates.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kShortestToken = 16;

absl::StatusOr<std::string> ReadText(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) return absl::InvalidArgumentError(fmt::format("{}: cannot be read, or is empty", path));
  return text;
}

}  // namespace

absl::Status ReadSecrets(const AgentOptions& options, AgentServerOptions& server) {
  ASSIGN_OR_RETURN(const std::string token, ReadText(options.token_file));
  server.token = std::string(absl::StripAsciiWhitespace(token));
  if (!options.token_file.empty() && server.token.size() < kShortestToken) {
    return absl::InvalidArgumentError(
        fmt::format("{}: a token has at least {} characters", options.token_file, kShortestToken));
  }
  server.token_sha256 = options.token_sha256;
  if (options.own_certificate) {
    ASSIGN_OR_RETURN(KeyAndCertificate own, MakeServerCertificate("mirrorfs-agent"));
    server.tls_certificate = std::move(own.certificate);
    server.tls_key = std::move(own.key);
    server.tls_client_ca = options.client_ca_pem;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(server.tls_certificate, ReadText(options.tls_certificate_file));
  ASSIGN_OR_RETURN(server.tls_key, ReadText(options.tls_key_file));
  ASSIGN_OR_RETURN(server.tls_client_ca, ReadText(options.tls_ca_file));
  return absl::OkStatus();
}

}  // namespace mirrorfs
