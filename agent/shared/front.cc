#include "agent/shared/front.h"

#include <utility>

#include "agent/shared/front_connection.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/steady_timer.hpp"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

// Callers that are being looked at at a time. Each holds a TLS handshake and a line, and some of them a request to the
// API server.
constexpr size_t kMostPending = 64;
constexpr size_t kAskingThreads = 8;

}  // namespace

FrontState::FrontState(asio::io_context& io, const SharedOptions& shared, FrontParts parts)
    : context(io),
      options(shared),
      authorizer(std::move(parts.authorizer)),
      audit(std::move(parts.audit)),
      tickets(shared.ticket_life),
      connections(shared.connections_per_user, shared.connections),
      agents(io, shared, metrics),
      asking(kAskingThreads) {}

Front::Front(asio::io_context& context, asio::ssl::context tls, std::shared_ptr<FrontState> state)
    : tls_(std::move(tls)), acceptor_(context), state_(std::move(state)) {}

Front::~Front() {
  state_->asking.stop();
  state_->asking.join();
}

absl::StatusOr<std::unique_ptr<Front>> Front::Start(asio::io_context& context, const SharedOptions& options,
                                                    FrontParts parts) {
  asio::ssl::context tls(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION);
  // Nobody resumes: whoever comes proves himself.
  SSL_CTX_set_num_tickets(tls.native_handle(), 0);
  Error failed;
  tls.use_certificate_chain(asio::buffer(parts.certificate), failed);
  if (!failed) tls.use_private_key(asio::buffer(parts.key), asio::ssl::context::pem, failed);
  if (failed) return absl::InvalidArgumentError(fmt::format("the certificate and its key: {}", failed.message()));
  UniqueFd listener = std::move(parts.listener);
  auto state = std::make_shared<FrontState>(context, options, std::move(parts));
  std::unique_ptr<Front> front(new Front(context, std::move(tls), std::move(state)));
  front->acceptor_.assign(asio::ip::tcp::v4(), listener.release(), failed);
  if (failed) return absl::InternalError(failed.message());
  front->Accept();
  return front;
}

void Front::End() {
  Error ignored;
  acceptor_.close(ignored);
  state_->agents.EndAll();
}

void Front::Accept() {
  acceptor_.async_accept([this](const Error& failed, asio::ip::tcp::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (failed) {  // out of descriptors: those that end make room
      auto pause = std::make_shared<asio::steady_timer>(state_->context, std::chrono::milliseconds(100));
      return pause->async_wait([this, pause](const Error&) { Accept(); });
    }
    if (state_->pending >= kMostPending) {
      ++state_->metrics.crowded_out;
    } else {
      std::make_shared<FrontConnection>(state_, tls_, std::move(socket))->Begin();
    }
    Accept();
  });
}

}  // namespace mirrorfs
