#include "agent/shared/metrics_server.h"

#include <chrono>
#include <utility>

#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http.hpp"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Error = boost::system::error_code;

constexpr std::chrono::seconds kLimit{5};
constexpr size_t kMostRequest = 8 << 10;
constexpr size_t kMostServing = 8;

// One request and its answer.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(asio::ip::tcp::socket socket, std::string text, std::shared_ptr<size_t> serving)
      : stream_(std::move(socket)), buffer_(kMostRequest), text_(std::move(text)), serving_(std::move(serving)) {
    ++*serving_;
  }
  ~Exchange() { --*serving_; }

  void Begin() {
    stream_.expires_after(kLimit);
    http::async_read(stream_, buffer_, request_, [self = shared_from_this()](const Error& failed, size_t) {
      if (!failed) self->Answer();
    });
  }

 private:
  void Answer() {
    const bool known = request_.method() == http::verb::get && request_.target() == "/metrics";
    response_.result(known ? http::status::ok : http::status::not_found);
    response_.set(http::field::content_type, "text/plain; version=0.0.4");
    response_.body() = known ? std::move(text_) : "/metrics\n";
    response_.keep_alive(false);
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](const Error&, size_t) {
      Error ignored;
      self->stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::string text_;
  std::shared_ptr<size_t> serving_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(asio::io_context& context, UniqueFd listener,
                                                                    std::function<std::string()> text) {
  std::unique_ptr<MetricsServer> server(new MetricsServer(context, std::move(text)));
  Error failed;
  server->acceptor_.assign(asio::ip::tcp::v4(), listener.release(), failed);
  if (failed) return absl::InternalError(failed.message());
  server->Accept();
  return server;
}

void MetricsServer::Accept() {
  acceptor_.async_accept([this](const Error& failed, asio::ip::tcp::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (!failed && *serving_ < kMostServing) {
      std::make_shared<Exchange>(std::move(socket), text_(), serving_)->Begin();
    }
    Accept();
  });
}

}  // namespace mirrorfs
