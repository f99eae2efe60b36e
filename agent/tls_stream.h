// OpenSSL over a blocking socket, for the few exchanges of the agent that are not gRPC.
#ifndef MIRRORFS_AGENT_TLS_STREAM_H_
#define MIRRORFS_AGENT_TLS_STREAM_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct TlsRelease {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* stream) const { SSL_free(stream); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsRelease>;

// TLS 1.3 only. Of a server that shows `certificate`, and lets in who has one signed by `client_ca` (PEM texts).
absl::StatusOr<TlsContext> MakeServerContext(const std::string& certificate, const std::string& key,
                                             const std::string& client_ca);
// Of a client that asks nothing of the server, and has nothing to show.
absl::StatusOr<TlsContext> MakeCuriousContext();

// Of a client that asks the server for a certificate for the address `ip`, signed by one of `authorities` (PEM).
absl::StatusOr<TlsContext> MakeVerifyingContext(const std::string& authorities, const std::string& ip);

// Not thread-safe.
class TlsStream {
 public:
  enum class Side : bool { kClient, kServer };

  // `context` outlives the stream. No read or write takes longer than `patience`.
  static absl::StatusOr<TlsStream> Open(SSL_CTX* context, Side side, UniqueFd socket, absl::Duration patience);

  // Exactly `size` bytes.
  absl::StatusOr<std::string> Read(size_t size);
  // At most `size` bytes, as soon as there are any; none at the end of the stream.
  absl::StatusOr<size_t> ReadSome(char* bytes, size_t size);
  absl::Status Write(std::string_view bytes);

 private:
  TlsStream(UniqueFd socket, std::unique_ptr<SSL, TlsRelease> stream)
      : socket_(std::move(socket)), stream_(std::move(stream)) {}

  UniqueFd socket_;
  std::unique_ptr<SSL, TlsRelease> stream_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TLS_STREAM_H_
