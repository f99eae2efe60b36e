// An agent that others can reach: on TCP, with TLS, for clients with a certificate of its authority, and the token.
#ifndef MIRRORFS_TESTS_WIRE_TLS_CASE_H_
#define MIRRORFS_TESTS_WIRE_TLS_CASE_H_

#include <memory>
#include <optional>
#include <string>

#include "agent/listener.h"
#include "gtest/gtest.h"
#include "tests/wire/certificates.h"
#include "tests/wire/directory_target.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {

class TlsCase : public testing::Test {
 protected:
  static constexpr char kToken[] = "a token of some length";

  void SetUp() override {
    ours_ = MakeCertificates(keys_.Path(), "ours");
    others_ = MakeCertificates(keys_.Path(), "others");
    ASSERT_FALSE(ours_.certificate.empty()) << "the openssl command is needed";
    target_.emplace(served_.Path());
    StartAgent(kToken);
  }

  // Another one, at the same place, if there was one.
  void StartAgent(const std::string& token, absl::Duration lease = absl::Seconds(30)) {
    server_.reset();
    absl::StatusOr<Listener> listener = ListenAt(endpoint_, true);
    ASSERT_TRUE(listener.ok()) << listener.status();
    endpoint_ = listener->endpoint;
    auto server = AgentServer::Start(*target_,
                                     {.version = "test",
                                      .target_name = "dir:x",
                                      .read_write = true,
                                      .devices = true,
                                      .token = token,
                                      .tls_certificate = ours_.certificate,
                                      .tls_key = ours_.key,
                                      .tls_client_ca = ours_.ca,
                                      .lease = lease},
                                     std::move(listener->socket));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  TemporaryDirectory keys_;
  TemporaryDirectory served_;
  Certificates ours_;
  Certificates others_;
  std::optional<DirectoryTarget> target_;
  std::string endpoint_ = "127.0.0.1:0";
  std::unique_ptr<AgentServer> server_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_TLS_CASE_H_
