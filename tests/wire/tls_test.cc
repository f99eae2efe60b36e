// An agent that others can reach: only with a certificate of the right authority, and the token.
#include <fcntl.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "agent/listener.h"
#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/wire/certificates.h"
#include "tests/wire/directory_target.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

constexpr char kToken[] = "a token of some length";

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    ours_ = MakeCertificates(directory_.Path(), "ours");
    others_ = MakeCertificates(directory_.Path(), "others");
    ASSERT_FALSE(ours_.certificate.empty()) << "the openssl command is needed";
    target_.emplace(directory_.Path());
    absl::StatusOr<Listener> listener = ListenAt("127.0.0.1:0", false);
    ASSERT_TRUE(listener.ok()) << listener.status();
    endpoint_ = listener->endpoint;
    auto server = AgentServer::Start(*target_,
                                     {.version = "test",
                                      .target_name = "dir:x",
                                      .token = kToken,
                                      .tls_certificate = ours_.certificate,
                                      .tls_key = ours_.key,
                                      .tls_client_ca = ours_.ca},
                                     std::move(listener->socket));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  RemoteSessionOptions Proper() const {
    return {.endpoint = endpoint_,
            .tls_ca = ours_.ca,
            .tls_certificate = ours_.certificate,
            .tls_key = ours_.key,
            .token = kToken,
            .deadline = absl::Seconds(5)};
  }

  TemporaryDirectory directory_;
  Certificates ours_;
  Certificates others_;
  std::optional<DirectoryTarget> target_;
  std::string endpoint_;
  std::unique_ptr<AgentServer> server_;
};

TEST_F(TlsTest, WhoHasAllIsLetIn) {
  const auto session = RemoteSession::Connect(Proper());
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE((*session)->Files().GetAttr({}, {NodeId::kRoot}).ok());
  EXPECT_TRUE((*session)->Files().Lookup({}, NodeId::kRoot, "ours.pem").ok());
}

TEST_F(TlsTest, WhoLacksSomethingIsNot) {
  RemoteSessionOptions options = Proper();
  options.token = "a token of some other";
  EXPECT_EQ(ToErrno(RemoteSession::Connect(options).status()), EACCES);
  options.token.clear();
  EXPECT_EQ(ToErrno(RemoteSession::Connect(options).status()), EACCES);

  options = Proper();
  options.tls_certificate.clear();
  options.tls_key.clear();
  EXPECT_FALSE(RemoteSession::Connect(options).ok());

  options = Proper();
  options.tls_certificate = others_.certificate;
  options.tls_key = others_.key;
  EXPECT_FALSE(RemoteSession::Connect(options).ok());

  options = Proper();
  options.tls_ca = others_.ca;  // the client does not trust this agent
  EXPECT_FALSE(RemoteSession::Connect(options).ok());

  options = Proper();
  options.tls_ca.clear();
  options.tls_certificate.clear();
  options.tls_key.clear();
  EXPECT_FALSE(RemoteSession::Connect(options).ok());
  EXPECT_EQ(server_->SessionCount(), 0u);
}

}  // namespace
}  // namespace mirrorfs
