#include "agent/tls_stream.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

absl::Status TlsError(std::string_view what) {
  std::array<char, 256> text = {};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return absl::UnavailableError(fmt::format("{}: {}", what, text.data()));
}

absl::StatusOr<TlsContext> NewContext(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) return TlsError("TLS");
  return context;
}

struct Loaded {
  BIO* memory;
  explicit Loaded(const std::string& text) : memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))) {}
  Loaded(const Loaded&) = delete;
  ~Loaded() { BIO_free_all(memory); }
};

bool Use(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  X509* own = PEM_read_bio_X509(Loaded(certificate).memory, nullptr, nullptr, nullptr);
  EVP_PKEY* secret = PEM_read_bio_PrivateKey(Loaded(key).memory, nullptr, nullptr, nullptr);
  const bool used = own != nullptr && secret != nullptr && SSL_CTX_use_certificate(context, own) == 1 &&
                    SSL_CTX_use_PrivateKey(context, secret) == 1;
  X509_free(own);
  EVP_PKEY_free(secret);
  return used;
}

// All that are there; at least one must be.
bool Trust(SSL_CTX* context, const std::string& authorities) {
  const Loaded text(authorities);
  int count = 0;
  while (X509* trusted = PEM_read_bio_X509(text.memory, nullptr, nullptr, nullptr)) {
    count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), trusted);
    X509_free(trusted);
  }
  ERR_clear_error();  // the last one was the end of the text
  return count > 0;
}

bool Limit(int socket, absl::Duration patience) {
  const timeval limit = absl::ToTimeval(patience);
  const int flags = ::fcntl(socket, F_GETFL);
  return ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
         ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
         ::fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

}  // namespace

absl::StatusOr<TlsContext> MakeServerContext(const std::string& certificate, const std::string& key,
                                             const std::string& client_ca) {
  absl::StatusOr<TlsContext> context = NewContext(TLS_server_method());
  if (!context.ok()) return context;
  if (!Use(context->get(), certificate, key)) return TlsError("certificate of the agent");
  if (!Trust(context->get(), client_ca)) return TlsError("--client-ca-pem");
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

absl::StatusOr<TlsContext> MakeCuriousContext() {
  absl::StatusOr<TlsContext> context = NewContext(TLS_client_method());
  if (context.ok()) SSL_CTX_set_verify(context->get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

absl::StatusOr<TlsContext> MakeVerifyingContext(const std::string& authorities, const std::string& ip) {
  absl::StatusOr<TlsContext> context = NewContext(TLS_client_method());
  if (!context.ok()) return context;
  // API servers may be older than TLS 1.3.
  SSL_CTX_set_min_proto_version(context->get(), TLS1_2_VERSION);
  if (!Trust(context->get(), authorities)) return TlsError("the authorities' certificates");
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context->get()), ip.c_str()) != 1) return TlsError(ip);
  return context;
}

absl::StatusOr<TlsStream> TlsStream::Open(SSL_CTX* context, Side side, UniqueFd socket, absl::Duration patience) {
  std::unique_ptr<SSL, TlsRelease> stream(SSL_new(context));
  if (stream == nullptr || !Limit(socket.get(), patience) || SSL_set_fd(stream.get(), socket.get()) != 1) {
    return TlsError("TLS stream");
  }
  const int shaken = side == Side::kServer ? SSL_accept(stream.get()) : SSL_connect(stream.get());
  if (shaken != 1) return TlsError("TLS handshake");
  return TlsStream(std::move(socket), std::move(stream));
}

absl::StatusOr<std::string> TlsStream::Read(size_t size) {
  std::string bytes(size, '\0');
  for (size_t done = 0; done < size;) {
    const int count = SSL_read(stream_.get(), bytes.data() + done, static_cast<int>(size - done));
    if (count <= 0) return TlsError("the peer has ended the stream");
    done += static_cast<size_t>(count);
  }
  return bytes;
}

absl::StatusOr<size_t> TlsStream::ReadSome(char* bytes, size_t size) {
  const int count = SSL_read(stream_.get(), bytes, static_cast<int>(std::min<size_t>(size, 1 << 20)));
  if (count > 0) return static_cast<size_t>(count);
  if (SSL_get_error(stream_.get(), count) == SSL_ERROR_ZERO_RETURN) return 0;
  return TlsError("the peer has broken the stream");
}

absl::Status TlsStream::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const int count = SSL_write(stream_.get(), bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20)));
    if (count <= 0) return TlsError("the peer has ended the stream");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
