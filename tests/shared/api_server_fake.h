// An API server that says what a test wants it to, over TLS.
#ifndef MIRRORFS_TESTS_SHARED_API_SERVER_FAKE_H_
#define MIRRORFS_TESTS_SHARED_API_SERVER_FAKE_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "agent/shared/api_client.h"
#include "agent/tls_stream.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// A certificate with these names (X.509: "IP:127.0.0.1"), signed by itself, and its key: PEM.
inline std::pair<std::string, std::string> CertificateFor(const char* names) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
  X509_add_ext(made, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(made, key, EVP_sha256());
  const auto text = [](auto write) {
    BIO* memory = BIO_new(BIO_s_mem());
    write(memory);
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(memory, &bytes);
    std::string copied(bytes, static_cast<size_t>(size));
    BIO_free(memory);
    return copied;
  };
  auto pair = std::make_pair(text([&](BIO* out) { PEM_write_bio_X509(out, made); }), text([&](BIO* out) {
                               PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
                             }));
  X509_free(made);
  EVP_PKEY_free(key);
  return pair;
}

inline constexpr char kTokenReview[] = "POST /apis/authentication.k8s.io/v1/tokenreviews";
inline constexpr char kAccessReview[] = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews";

// Answers each request for a path with what a test has put there; remembers what it was asked.
class ApiServerFake {
 public:
  explicit ApiServerFake(const char* names = "IP:127.0.0.1") : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    std::tie(certificate_, key_) = CertificateFor(names);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    std::ofstream(directory_ + "/ca") << certificate_;
    std::ofstream(directory_ + "/token") << "agents-own-token\n";
    thread_ = std::thread([this] { Run(); });
  }
  ~ApiServerFake() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  ApiClient Client() const {
    return ApiClient(
        {.address = "127.0.0.1", .port = port_, .ca_file = directory_ + "/ca", .token_file = directory_ + "/token"});
  }

  std::map<std::string, std::string> answers;  // "POST /apis/..." to "200 {...}"
  std::map<std::string, nlohmann::json> asked;
  std::string headers;

 private:
  void Run() {
    const auto context = MakeServerContext(certificate_, key_, certificate_);
    SSL_CTX_set_verify(context->get(), SSL_VERIFY_NONE, nullptr);
    while (true) {
      UniqueFd connection(::accept(listener_.get(), nullptr, nullptr));
      if (!connection) return;
      auto stream = TlsStream::Open(context->get(), TlsStream::Side::kServer, std::move(connection), absl::Seconds(5));
      if (stream.ok()) Serve(*stream);
    }
  }

  void Serve(TlsStream& stream) {
    std::string text;
    while (text.find("\r\n\r\n") == text.npos) {
      const auto more = stream.Read(1);
      if (!more.ok()) return;
      text += *more;
    }
    headers += text;
    const std::string what = text.substr(0, text.find(" HTTP/"));
    const size_t length = text.find("Content-Length: ");
    const auto body = stream.Read(static_cast<size_t>(std::stoi(text.substr(length + 16))));
    asked[what] = nlohmann::json::parse(body.value_or("null"), nullptr, false);
    const auto found = answers.find(what);
    const std::string answer = found == answers.end() ? "404 {}" : found->second;
    (void)stream.Write(fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", answer.substr(0, 3),
                                   answer.size() - 4, answer.substr(4)));
  }

  const std::string directory_ = [] {
    std::string name = testing::TempDir() + "/api-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
  UniqueFd listener_;
  std::string certificate_;
  std::string key_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_SHARED_API_SERVER_FAKE_H_
