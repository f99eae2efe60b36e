// What is made here is what others take: the openssl command judges it.
#include "protos/certificates/certificates.h"

#include <cstdlib>
#include <fstream>
#include <set>

#include "gtest/gtest.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

class CertificatesTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_.Path() + "/" + name) << text;
  }
  bool OpenSsl(const std::string& words) {
    return std::system(("cd " + directory_.Path() + " && openssl " + words + " >/dev/null 2>&1").c_str()) == 0;
  }
  TemporaryDirectory directory_;
};

TEST_F(CertificatesTest, AClientIsWhomItsAuthorityHasSigned) {
  const auto authority = MakeAuthority("ours");
  const auto other = MakeAuthority("ours");
  ASSERT_TRUE(authority.ok() && other.ok()) << authority.status();
  const auto client = MakeClientCertificate(*authority, "client");
  ASSERT_TRUE(client.ok()) << client.status();
  Write("ca", authority->certificate);
  Write("other", other->certificate);
  Write("client", client->certificate);
  EXPECT_TRUE(OpenSsl("verify -x509_strict -purpose sslclient -CAfile ca client"));
  EXPECT_FALSE(OpenSsl("verify -purpose sslclient -CAfile other client"));
  EXPECT_FALSE(OpenSsl("verify -purpose sslserver -CAfile ca client"));
}

TEST_F(CertificatesTest, AServerIsItsOwnAuthorityAndNobodyElses) {
  const auto server = MakeServerCertificate("agent");
  ASSERT_TRUE(server.ok()) << server.status();
  Write("server", server->certificate);
  Write("key", server->key);
  EXPECT_TRUE(OpenSsl("verify -purpose sslserver -CAfile server server"));
  EXPECT_TRUE(OpenSsl("ec -in key -check -noout"));
  EXPECT_TRUE(OpenSsl("x509 -in server -noout -checkend 86400"));
  EXPECT_FALSE(OpenSsl("x509 -in server -noout -checkend 40000000"));
  // It signs for nobody.
  const auto client = MakeClientCertificate(*server, "client");
  ASSERT_TRUE(client.ok());
  Write("client", client->certificate);
  EXPECT_FALSE(OpenSsl("verify -CAfile server client"));
}

TEST_F(CertificatesTest, ABrokenAuthoritySignsNothing) {
  EXPECT_FALSE(MakeClientCertificate({.key = "x", .certificate = "y"}, "client").ok());
}

TEST_F(CertificatesTest, TokensAreLongAndNeverTheSame) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(MakeToken().value_or(""));
  EXPECT_EQ(tokens.size(), 100u);
  EXPECT_EQ(tokens.begin()->size(), 64u);
}

TEST_F(CertificatesTest, TheHashIsTheWellKnownOne) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace mirrorfs
