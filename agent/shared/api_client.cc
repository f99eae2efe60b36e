#include "agent/shared/api_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "agent/shared/read_file.h"
#include "agent/tls_stream.h"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;
using boost::system::error_code;

constexpr char kServiceAccount[] = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr size_t kReadBytes = 16 << 10;
constexpr uint64_t kMostBytes = 8 << 20;  // of an object: etcd keeps none above 1.5 MB

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

absl::StatusOr<Address> ParseIp(const std::string& ip, int port) {
  Address address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, ip.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<uint16_t>(port));
    address.size = sizeof *four;
  } else if (::inet_pton(AF_INET6, ip.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<uint16_t>(port));
    address.size = sizeof *six;
  } else {
    return absl::UnavailableError(fmt::format("the API server's address {} is no IP address", ip));
  }
  return address;
}

absl::StatusOr<UniqueFd> Connect(const ApiServer& server) {
  ASSIGN_OR_RETURN(const Address address, ParseIp(server.address, server.port));
  UniqueFd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return LastErrno("socket");
  int error = 0;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) error = errno;
  if (error == EINPROGRESS) {
    pollfd wait = {.fd = socket.get(), .events = POLLOUT, .revents = 0};
    socklen_t size = sizeof error;
    error = ETIMEDOUT;
    if (::poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(server.patience))) > 0) {
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return socket;
  return absl::UnavailableError(fmt::format("the API server does not answer at {}:{}: {}", server.address, server.port,
                                            std::generic_category().message(error)));
}

std::string HostOf(const ApiServer& server) {
  const bool six = server.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", six ? "[" : "", server.address, six ? "]" : "", server.port);
}

absl::Status NotUnderstood() { return absl::UnavailableError("the API server's answer is not understood"); }

absl::Status Receive(TlsStream& stream, Parser& parser) {
  parser.body_limit(kMostBytes);
  parser.eager(true);
  boost::beast::flat_buffer buffer;
  while (!parser.is_done()) {
    const auto space = buffer.prepare(kReadBytes);
    ASSIGN_OR_RETURN(const size_t count, stream.ReadSome(static_cast<char*>(space.data()), space.size()));
    error_code error;
    if (count == 0) {
      parser.put_eof(error);
      return error || !parser.is_done() ? NotUnderstood() : absl::OkStatus();
    }
    buffer.commit(count);
    buffer.consume(parser.put(buffer.data(), error));
    if (error && error != http::error::need_more) return NotUnderstood();
  }
  return absl::OkStatus();
}

absl::StatusOr<nlohmann::json> ObjectIn(const Parser& parser, std::string_view method, const std::string& path) {
  const auto& response = parser.get();
  nlohmann::json object = nlohmann::json::parse(response.body(), nullptr, /*allow_exceptions=*/false);
  const unsigned status = response.result_int();
  if (status == 200 || status == 201) {
    return object.is_object() ? absl::StatusOr<nlohmann::json>(std::move(object)) : NotUnderstood();
  }
  const std::string why = object.is_object() && object.contains("message") && object["message"].is_string()
                              ? object["message"].get<std::string>().substr(0, 500)
                              : fmt::format("status {}", status);
  const std::string message = fmt::format("the API server refuses {} {}: {}", method, path, why);
  if (status == 404) return absl::NotFoundError(message);
  return status == 403 ? absl::PermissionDeniedError(message) : absl::UnavailableError(message);
}

}  // namespace

absl::StatusOr<ApiServer> ApiServerOfThisPod() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  ApiServer server;
  if (host == nullptr || port == nullptr || !absl::SimpleAtoi(std::string(port), &server.port)) {
    return absl::FailedPreconditionError(
        "this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set): a shared agent is started by its chart");
  }
  server.address = host;
  server.ca_file = fmt::format("{}/ca.crt", kServiceAccount);
  server.token_file = fmt::format("{}/token", kServiceAccount);
  return server;
}

absl::StatusOr<nlohmann::json> ApiClient::Ask(std::string_view method, const std::string& path,
                                              const std::string& body) const {
  ASSIGN_OR_RETURN(const std::string authorities, ReadWholeFile(server_.ca_file));
  ASSIGN_OR_RETURN(const std::string token, ReadWholeFile(server_.token_file));
  ASSIGN_OR_RETURN(const TlsContext context, MakeVerifyingContext(authorities, server_.address));
  ASSIGN_OR_RETURN(UniqueFd socket, Connect(server_));
  ASSIGN_OR_RETURN(TlsStream stream,
                   TlsStream::Open(context.get(), TlsStream::Side::kClient, std::move(socket), server_.patience));
  RETURN_IF_ERROR(stream.Write(fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: application/json\r\nUser-Agent: "
      "mirrorfs-agent\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      method, path, HostOf(server_), token, body.size(), body)));
  Parser parser;
  RETURN_IF_ERROR(Receive(stream, parser));
  return ObjectIn(parser, method, path);
}

}  // namespace mirrorfs
