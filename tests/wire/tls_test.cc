// An agent that others can reach: only with a certificate of the right authority, and the token.
#include <cerrno>
#include <fstream>

#include "fusefs/remote/remote_session.h"
#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/wire/tls_case.h"

namespace mirrorfs {
namespace {

class TlsTest : public TlsCase {
 protected:
  RemoteSessionOptions Proper() const {
    return {.endpoint = endpoint_,
            .tls_ca = ours_.ca,
            .tls_certificate = ours_.certificate,
            .tls_key = ours_.key,
            .token = kToken,
            .deadline = absl::Seconds(5)};
  }
};

TEST_F(TlsTest, WhoHasAllIsLetIn) {
  std::ofstream(served_.Path() + "/file") << "x";
  const auto session = RemoteSession::Connect(Proper());
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE((*session)->Files().GetAttr({}, {NodeId::kRoot}).ok());
  EXPECT_TRUE((*session)->Files().Lookup({}, NodeId::kRoot, "file").ok());
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
