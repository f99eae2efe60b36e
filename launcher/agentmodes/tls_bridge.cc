#include "launcher/agentmodes/tls_bridge.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>
#include <utility>
#include <vector>

#include "boost/asio/buffer.hpp"
#include "boost/asio/generic/stream_protocol.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/streambuf.hpp"
#include "boost/asio/write.hpp"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
using Socket = asio::generic::stream_protocol::socket;
using Error = boost::system::error_code;

constexpr size_t kBufferSize = 256 << 10;
constexpr std::chrono::seconds kPrefaceLimit{90};  // the agent asks the cluster, and starts a program
// Of an answer, and of what may come at once behind it.
constexpr size_t kMostLine = 64 << 10;

std::shared_ptr<X509> ReadCertificate(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* read = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  BIO_free_all(memory);
  return {read, X509_free};
}

// One connection of the daemon. Keeps itself alive until both directions are over.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& context, asio::ssl::context& tls, TlsBridge::Preface preface)
      : plain_(context), secure_(context, tls), timer_(context), preface_(std::move(preface)), line_(kMostLine) {}

  void Begin(UniqueFd plain, UniqueFd transport, std::function<void()> stalled) {
    if (!Adopt(plain_, std::move(plain)) || !Adopt(secure_.next_layer(), std::move(transport))) return Close();
    timer_.expires_after(TlsBridge::kHandshakeLimit);
    timer_.async_wait([self = shared_from_this(), stalled = std::move(stalled)](const Error& cancelled) {
      if (cancelled) return;
      self->Fail("the agent does not answer");
      stalled();
    });
    secure_.async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](const Error& failed) {
      if (failed) return self->FailHandshake();
      self->preface_.line.empty() ? self->Copy() : self->SayPreface();
    });
  }

 private:
  static bool Adopt(Socket& socket, UniqueFd fd) {
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    Error failed;
    const asio::generic::stream_protocol protocol(address.ss_family, 0);
    socket.assign(protocol, fd.get(), failed);
    if (failed) return false;
    (void)fd.release();
    return true;
  }

  void FailHandshake() {
    const bool other = SSL_get_verify_result(secure_.native_handle()) != X509_V_OK;
    Fail(other ? "it does not show the certificate that it should" : "the connection broke in the handshake");
  }

  void SayPreface() {
    timer_.expires_after(kPrefaceLimit);
    timer_.async_wait([self = shared_from_this()](const Error& cancelled) {
      if (!cancelled) self->Fail("the agent does not answer");
    });
    preface_.line += '\n';
    asio::async_write(secure_, asio::buffer(preface_.line), [self = shared_from_this()](const Error& failed, size_t) {
      if (failed) return self->Fail("the agent broke off");
      self->HearAnswer();
    });
  }

  void HearAnswer() {
    asio::async_read_until(secure_, line_, '\n', [self = shared_from_this()](const Error& failed, size_t size) {
      if (failed) return self->Fail("the agent broke off");
      const std::string_view line(static_cast<const char*>(self->line_.data().data()), size - 1);
      if (!self->preface_.accept(line)) return self->Close();
      self->line_.consume(size);
      // What the agent's server has said meanwhile.
      const size_t more = asio::buffer_copy(asio::buffer(self->down_), self->line_.data());
      self->line_.consume(more);
      more > 0 ? self->CopyAfter(more) : self->Copy();
    });
  }

  void CopyAfter(size_t size) {
    timer_.cancel();
    ReadPlain();
    WritePlain(size);
  }

  void Copy() {
    timer_.cancel();
    ReadPlain();
    ReadSecure();
  }

  void Fail(std::string_view why) {
    if (preface_.failed) std::exchange(preface_.failed, nullptr)(why);
    Close();
  }

  void ReadPlain() {
    plain_.async_read_some(asio::buffer(up_), [self = shared_from_this()](const Error& failed, size_t size) {
      if (failed) return self->Close();
      self->WriteSecure(size);
    });
  }

  void WriteSecure(size_t size) {
    asio::async_write(secure_, asio::buffer(up_, size), [self = shared_from_this()](const Error& failed, size_t) {
      if (failed) return self->Close();
      self->ReadPlain();
    });
  }

  void ReadSecure() {
    secure_.async_read_some(asio::buffer(down_), [self = shared_from_this()](const Error& failed, size_t size) {
      if (failed) return self->Close();
      self->WritePlain(size);
    });
  }

  void WritePlain(size_t size) {
    asio::async_write(plain_, asio::buffer(down_, size), [self = shared_from_this()](const Error& failed, size_t) {
      if (failed) return self->Close();
      self->ReadSecure();
    });
  }

  void Close() {
    Error ignored;
    timer_.cancel();
    plain_.close(ignored);
    secure_.next_layer().close(ignored);
  }

  Socket plain_;
  asio::ssl::stream<Socket> secure_;
  asio::steady_timer timer_;
  TlsBridge::Preface preface_;
  asio::streambuf line_;
  std::vector<char> up_ = std::vector<char>(kBufferSize);
  std::vector<char> down_ = std::vector<char>(kBufferSize);
};

}  // namespace

absl::StatusOr<std::unique_ptr<TlsBridge>> TlsBridge::Start(const std::optional<KeyAndCertificate>& own,
                                                            const std::string& agent_certificate) {
  const std::shared_ptr<X509> pinned = ReadCertificate(agent_certificate);
  if (pinned == nullptr) return Failure(ExitCode::kUnreachable, "the agent's certificate cannot be read.");
  asio::ssl::context tls(asio::ssl::context::tls_client);
  Error failed;
  if (own) tls.use_certificate(asio::buffer(own->certificate), asio::ssl::context::pem, failed);
  if (own && !failed) tls.use_private_key(asio::buffer(own->key), asio::ssl::context::pem, failed);
  if (failed) return Failure(ExitCode::kFailed, "the certificate made for this mount: " + failed.message());
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION);
  static constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(tls.native_handle(), kHttp2.data(), kHttp2.size());
  tls.set_verify_mode(asio::ssl::verify_peer);
  // Nobody has signed it but itself: it is this one, or it is wrong.
  tls.set_verify_callback([pinned](bool, asio::ssl::verify_context& shown) {
    const bool it_is = X509_STORE_CTX_get_error_depth(shown.native_handle()) == 0 &&
                       X509_cmp(X509_STORE_CTX_get_current_cert(shown.native_handle()), pinned.get()) == 0;
    X509_STORE_CTX_set_error(shown.native_handle(), it_is ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return it_is;
  });
  return std::unique_ptr<TlsBridge>(new TlsBridge(std::move(tls)));
}

TlsBridge::TlsBridge(asio::ssl::context tls)
    : tls_(std::move(tls)), busy_(context_.get_executor()), thread_([this] { context_.run(); }) {}

TlsBridge::~TlsBridge() { Stop(); }

void TlsBridge::Stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void TlsBridge::Join(UniqueFd plain, UniqueFd transport, Preface preface, std::function<void()> stalled) {
  auto ends = std::make_shared<std::pair<UniqueFd, UniqueFd>>(std::move(plain), std::move(transport));
  asio::post(context_, [this, ends, preface = std::move(preface), stalled = std::move(stalled)] {
    std::make_shared<Connection>(context_, tls_, preface)
        ->Begin(std::move(ends->first), std::move(ends->second), stalled);
  });
}

}  // namespace mirrorfs
