#include "agent/target/http_get.h"

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/local/stream_protocol.hpp"
#include "boost/beast/core/basic_stream.hpp"
#include "boost/beast/core/buffers_to_string.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Stream = beast::basic_stream<boost::asio::local::stream_protocol>;
using boost::system::error_code;

constexpr std::chrono::seconds kTimeout{10};
constexpr uint64_t kMostBytes = uint64_t{64} << 20;

// Beast's time limits hold for asynchronous calls: each step is started and run to its end.
class Exchange {
 public:
  Exchange(std::string_view who, const std::string& socket_path) : who_(who), path_(socket_path), stream_(context_) {
    stream_.expires_after(kTimeout);
    parser_.body_limit(kMostBytes);
  }

  absl::StatusOr<std::string> Get(const std::string& target) {
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host, "localhost");
    request.set(http::field::connection, "close");
    auto finish = [this](error_code error, auto...) { error_ = error; };
    stream_.async_connect(Stream::endpoint_type(path_), finish);
    RETURN_IF_ERROR(Run("connect"));
    http::async_write(stream_, request, finish);
    RETURN_IF_ERROR(Run("send"));
    http::async_read(stream_, buffer_, parser_, finish);
    RETURN_IF_ERROR(Run("receive"));
    return Body(target);
  }

 private:
  absl::Status Run(std::string_view step) {
    context_.restart();
    context_.run();
    if (!error_) return absl::OkStatus();
    return absl::UnavailableError(
        fmt::format("{} does not answer at {} ({}: {})", who_, path_, step, error_.message()));
  }

  absl::StatusOr<std::string> Body(const std::string& target) {
    auto response = parser_.release();
    std::string body = beast::buffers_to_string(response.body().data());
    if (response.result() == http::status::ok) return body;
    const std::string message =
        fmt::format("{}: GET {} at {}: status {}: {}", who_, target, path_, response.result_int(), body.substr(0, 500));
    return response.result() == http::status::not_found ? absl::NotFoundError(message)
                                                        : absl::UnavailableError(message);
  }

  std::string who_;
  std::string path_;
  boost::asio::io_context context_{1};
  Stream stream_;
  beast::flat_buffer buffer_;
  // A body that grows as it comes: string_body would first reserve whatever length the answer claims.
  http::response_parser<http::dynamic_body> parser_;
  error_code error_;
};

}  // namespace

absl::StatusOr<std::string> HttpGet(std::string_view who, const std::string& socket_path, const std::string& target) {
  return Exchange(who, socket_path).Get(target);
}

}  // namespace mirrorfs
