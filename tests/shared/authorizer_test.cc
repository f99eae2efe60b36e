// What a caller may, against an API server that says what a test wants it to (the real one: tests/e2e/kubernetes).
#include "agent/shared/authorizer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "agent/tls_stream.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A certificate for 127.0.0.1, signed by itself.
std::pair<std::string, std::string> CertificateFor(const char* names) {
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
  std::map<std::string, json> asked;
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
    asked[what] = json::parse(body.value_or("null"), nullptr, false);
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

constexpr char kTokenReview[] = "POST /apis/authentication.k8s.io/v1/tokenreviews";
constexpr char kAccessReview[] = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews";
constexpr char kPod[] = "GET /api/v1/namespaces/shop/pods/web-0";

class AuthorizerTest : public testing::Test {
 protected:
  AuthorizerTest() {
    request_.token = "callers-token";
    request_.name_space = "shop";
    request_.pod = "web-0";
    request_.pod_uid = "uid-1";
    request_.container = "app";
    request_.container_id = "containerd://1";
    server_.answers[kTokenReview] =
        R"(201 {"status":{"authenticated":true,"user":{"username":"alice","groups":["team-a"],"extra":{"k":["v"]}}}})";
    server_.answers[kAccessReview] = R"(201 {"status":{"allowed":true}})";
    SetPod("uid-1", "node-1", "containerd://1", "running");
  }

  void SetPod(const char* uid, const char* node, const char* id, const char* state) {
    server_.answers[kPod] =
        "200 " +
        json{{"metadata", {{"uid", uid}}},
             {"spec", {{"nodeName", node}}},
             {"status",
              {{"containerStatuses", {{{"name", "app"}, {"containerID", id}, {"state", {{state, json::object()}}}}}}}}}
            .dump();
  }

  Verdict Decide(WriteRule rule = WriteRule::kExec) {
    return Authorizer(server_.Client(), "node-1", rule).Decide(request_);
  }

  ApiServerFake server_;
  PrefaceRequest request_;
};

TEST_F(AuthorizerTest, LetsInWhoMayExec) {
  const Verdict verdict = Decide();
  EXPECT_EQ(verdict.code, PrefaceCode::kOk) << verdict.message;
  EXPECT_EQ(verdict.caller.name, "alice");
  EXPECT_EQ(server_.asked[kTokenReview]["spec"]["token"], "callers-token");
  const json& spec = server_.asked[kAccessReview]["spec"];
  EXPECT_EQ(spec["user"], "alice");
  EXPECT_EQ(spec["groups"], json({"team-a"}));
  EXPECT_EQ(spec["extra"]["k"], json({"v"}));
  EXPECT_EQ(spec["resourceAttributes"], json({{"namespace", "shop"},
                                              {"verb", "create"},
                                              {"resource", "pods"},
                                              {"subresource", "exec"},
                                              {"name", "web-0"}}));
  EXPECT_THAT(server_.headers, HasSubstr("Authorization: Bearer agents-own-token\r\n"));
}

TEST_F(AuthorizerTest, RefusesWhomTheClusterDoesNotKnow) {
  for (const char* answer : {R"(201 {"status":{"authenticated":false}})", R"(201 {"status":{}})", R"(201 {})",
                             R"(201 {"status":{"authenticated":true,"user":{"username":""}}})",
                             R"(201 {"status":{"authenticated":"true","user":{"username":"alice"}}})"}) {
    server_.answers[kTokenReview] = answer;
    EXPECT_EQ(Decide().code, PrefaceCode::kUnauthenticated) << answer;
  }
}

TEST_F(AuthorizerTest, RefusesWhoMayNotAndNamesTheRight) {
  for (const char* answer :
       {R"(201 {"status":{"allowed":false}})", R"(201 {})", R"(201 {"status":{"allowed":true,"denied":true}})"}) {
    server_.answers[kAccessReview] = answer;
    const Verdict verdict = Decide();
    EXPECT_EQ(verdict.code, PrefaceCode::kForbidden) << answer;
    EXPECT_THAT(verdict.message, HasSubstr("create pods/exec in namespace shop"));
    EXPECT_EQ(verdict.caller.name, "alice");
  }
  EXPECT_EQ(server_.asked.count(kPod), 0u) << "who may nothing learns nothing";
}

TEST_F(AuthorizerTest, AContainerMustBeWhatItIsSaidToBe) {
  const std::array<std::array<const char*, 4>, 4> others = {{{"uid-2", "node-1", "containerd://1", "running"},
                                                             {"uid-1", "node-2", "containerd://1", "running"},
                                                             {"uid-1", "node-1", "containerd://2", "running"},
                                                             {"uid-1", "node-1", "containerd://1", "terminated"}}};
  for (const auto& [uid, node, id, state] : others) {
    SetPod(uid, node, id, state);
    EXPECT_EQ(Decide().code, PrefaceCode::kNoTarget) << uid << node << id << state;
  }
  server_.answers.erase(kPod);
  EXPECT_EQ(Decide().code, PrefaceCode::kNoTarget);
}

TEST_F(AuthorizerTest, WritingAsksForWhatTheRuleSays) {
  request_.read_write = true;
  EXPECT_EQ(Decide(WriteRule::kExec).code, PrefaceCode::kOk);
  EXPECT_EQ(Decide(WriteRule::kNever).code, PrefaceCode::kForbidden);
  EXPECT_EQ(Decide(WriteRule::kRight).code, PrefaceCode::kOk);
  EXPECT_EQ(server_.asked[kAccessReview]["spec"]["resourceAttributes"]["resource"], "podfiles");
  request_.read_write = false;
  EXPECT_EQ(Decide(WriteRule::kNever).code, PrefaceCode::kOk);
}

TEST_F(AuthorizerTest, AnAgentThatMayNotAskLetsNobodyIn) {
  for (const char* what : {kTokenReview, kAccessReview, kPod}) {
    const std::string before = server_.answers[what];
    for (const char* answer : {R"(403 {"message":"cannot create"})", R"(500 {})", R"(200 [])", R"(200 nonsense)"}) {
      server_.answers[what] = answer;
      EXPECT_EQ(Decide().code, PrefaceCode::kUnavailable) << what << answer;
    }
    server_.answers[what] = before;
  }
}

TEST(ApiClientTest, AsksNobodyWhoHasNoCertificateForTheAddress) {
  ApiServerFake server("IP:127.0.0.2");
  server.answers["GET /x"] = "200 {}";
  EXPECT_EQ(server.Client().Get("/x").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.headers, "");
}

}  // namespace
}  // namespace mirrorfs
