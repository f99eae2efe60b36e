// Every method of the protocol, asked by each of those who may not: nothing is answered, and nothing done.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "tests/wire/any_method.h"
#include "tests/wire/raw_client.h"
#include "tests/wire/tls_case.h"

namespace mirrorfs {
namespace {

class RefusalsTest : public TlsCase {
 protected:
  void SetUp() override {
    TlsCase::SetUp();
    std::ofstream(served_.Path() + "/name") << "what is there";
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_regular_file(served_.Path() + "/name")) << "it was removed, or renamed";
    const std::filesystem::directory_iterator entries(served_.Path());
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "something was made";
    EXPECT_EQ(std::filesystem::file_size(served_.Path() + "/name"), std::string("what is there").size());
  }

  static std::shared_ptr<grpc::ChannelCredentials> Tls(const std::string& ca, const std::string& certificate,
                                                       const std::string& key) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ca;
    options.pem_cert_chain = certificate;
    options.pem_private_key = key;
    return grpc::SslCredentials(options);
  }
  std::shared_ptr<grpc::ChannelCredentials> Proper() const { return Tls(ours_.ca, ours_.certificate, ours_.key); }

  // A connection of its own for each.
  std::shared_ptr<grpc::Channel> Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(endpoint_, credentials, arguments);
  }

  static v1::AttachRequest AttachWith(const std::string& token, bool read_write = true) {
    v1::AttachRequest request = RawClient::DefaultAttach();
    request.set_read_write(read_write);
    request.set_token(token);
    return request;
  }

  uint64_t ProperSession(grpc::Channel& channel, const std::string& token = kToken, bool read_write = true) {
    const auto stub = v1::FileSystem::NewStub(std::shared_ptr<grpc::Channel>(&channel, [](auto*) {}));
    grpc::ClientContext context;
    v1::AttachReply reply;
    const grpc::Status status = stub->Attach(&context, AttachWith(token, read_write), &reply);
    EXPECT_TRUE(status.ok() && reply.session() != 0) << status.error_message() << reply.message();
    return reply.session();
  }

  // With everything that a thief could have: the token, and the session of somebody who is let in.
  static AnyAnswer Ask(grpc::Channel& channel, const MethodDescriptor& method, const std::string& token,
                       uint64_t session) {
    if (method.name() == "Attach") return CallWith(channel, method, EncodeMessage(AttachWith(token)));
    return CallAny(channel, method, session, /*sequence=*/0);
  }

  void ExpectRefusedWithoutToken(const std::string& token, uint64_t session) {
    const auto channel = Connect(Proper());
    for (const MethodDescriptor* method : AllMethods()) {
      const AnyAnswer answer = Ask(*channel, *method, token, session);
      if (method->name() == "Attach") {
        EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
        EXPECT_EQ(answer.error, EACCES);
      } else {
        EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND) << method->name();
      }
    }
    EXPECT_EQ(server_->SessionCount(), 0u);
  }
};

TEST_F(RefusalsTest, WhoMayIsAnsweredByEveryMethod) {
  const auto channel = Connect(Proper());
  const uint64_t session = ProperSession(*channel, kToken, /*read_write=*/false);
  std::map<std::string, AnyAnswer> answers;
  for (const MethodDescriptor* method : AllMethods()) {
    if (method->name() != "Detach") answers[method->name()] = Ask(*channel, *method, kToken, session);
  }
  EXPECT_GT(answers.size(), 30u);
  for (const auto& [name, answer] : answers) EXPECT_TRUE(answer.status.ok()) << name << answer.status.error_message();
  for (const char* name : {"Attach", "Lookup", "ReadDir", "StatFs", "Ping"}) {
    EXPECT_EQ(answers[name].error, 0) << name;
  }
}

TEST_F(RefusalsTest, WithoutACertificateOfTheAuthorityNoMethodIsReached) {
  const Certificates expired = MakeCertificates(keys_.Path(), "late", "ours", -1);
  ASSERT_FALSE(expired.certificate.empty());
  const auto proper = Connect(Proper());
  const uint64_t session = ProperSession(*proper);
  const std::map<std::string, std::shared_ptr<grpc::ChannelCredentials>> intruders = {
      {"no TLS", grpc::InsecureChannelCredentials()},
      {"no certificate", Tls(ours_.ca, "", "")},
      {"a certificate of another authority", Tls(ours_.ca, others_.certificate, others_.key)},
      {"an expired certificate", Tls(ours_.ca, expired.certificate, expired.key)},
      {"an authority that is not the agent's", Tls(others_.ca, ours_.certificate, ours_.key)},
  };
  for (const auto& [who, credentials] : intruders) {
    for (const MethodDescriptor* method : AllMethods()) {
      const AnyAnswer answer = Ask(*Connect(credentials), *method, kToken, session);
      EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << who << ", " << method->name();
    }
  }
  EXPECT_EQ(server_->SessionCount(), 1u);
  const MethodDescriptor& ping =
      *v1::PingRequest::descriptor()->file()->pool()->FindMethodByName("mirrorfs.v1.FileSystem.Ping");
  EXPECT_TRUE(Ask(*proper, ping, kToken, session).status.ok()) << "it is still the session of who is let in";
}

TEST_F(RefusalsTest, WithoutTheTokenNoMethodIsServed) {
  ExpectRefusedWithoutToken("", 0);
  ExpectRefusedWithoutToken("a token of some other!", 0x1234567890abcdef);
  ExpectRefusedWithoutToken(std::string(kToken) + " and more", 1);
  ExpectRefusedWithoutToken(std::string(kToken, 5), 1);
}

// What bounds the life of a token is that of its mount, and no other agent knows it (docs/adr/0047).
TEST_F(RefusalsTest, ATokenAndASessionEndWithTheirAgent) {
  const uint64_t session = ProperSession(*Connect(Proper()));
  StartAgent("the token of the next mount");
  ExpectRefusedWithoutToken(kToken, session);
}

TEST_F(RefusalsTest, ASessionThatWasSilentForTooLongIsOver) {
  StartAgent(kToken, absl::Milliseconds(200));
  const auto channel = Connect(Proper());
  const uint64_t session = ProperSession(*channel);
  while (server_->SessionCount() > 0) std::this_thread::yield();
  for (const MethodDescriptor* method : AllMethods()) {
    if (method->name() == "Attach") continue;  // begins another one
    const AnyAnswer answer = Ask(*channel, *method, kToken, session);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND) << method->name();
  }
}

TEST_F(RefusalsTest, AReadOnlySessionChangesNothing) {
  const auto channel = Connect(Proper());
  const uint64_t session = ProperSession(*channel, kToken, /*read_write=*/false);
  int refused = 0;
  uint64_t sequence = 0;
  for (const MethodDescriptor* method : AllMethods()) {
    if (ChangesNothing(*method)) continue;
    ++refused;
    const AnyAnswer answer = CallAny(*channel, *method, session, ++sequence);
    EXPECT_TRUE(answer.status.ok()) << method->name() << answer.status.error_message();
    EXPECT_EQ(answer.error, EROFS) << method->name();
  }
  EXPECT_GE(refused, 14);
}

}  // namespace
}  // namespace mirrorfs
