// Streams over TLS: to the agent whose certificate is known, and to nobody else.
#include "launcher/agentmodes/tls_bridge.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/local/stream_protocol.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/ssl.hpp"
#include "boost/asio/streambuf.hpp"
#include "boost/asio/write.hpp"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol::socket;

std::pair<UniqueFd, UniqueFd> SocketPair() {
  std::array<int, 2> ends = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The agent's end, as OpenSSL has it: asks for a certificate of `authority`, sends back what it gets until `limit`.
class Echo {
 public:
  Echo(const KeyAndCertificate& own, const std::string& authority, UniqueFd transport, size_t limit)
      : tls_(asio::ssl::context::tls_server), thread_([this, own, authority, fd = transport.release(), limit] {
          tls_.use_certificate(asio::buffer(own.certificate), asio::ssl::context::pem);
          tls_.use_private_key(asio::buffer(own.key), asio::ssl::context::pem);
          tls_.add_certificate_authority(asio::buffer(authority));
          tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
          Serve(fd, limit);
        }) {}
  ~Echo() { thread_.join(); }

  bool shaken() const { return shaken_; }

 private:
  void Serve(int fd, size_t limit) {
    asio::ssl::stream<Local> stream(context_, tls_);
    stream.next_layer().assign(asio::local::stream_protocol(), fd);
    boost::system::error_code failed;
    stream.handshake(asio::ssl::stream_base::server, failed);
    shaken_ = !failed;
    std::vector<char> buffer(65536);
    for (size_t done = 0; !failed && done < limit;) {
      const size_t count = stream.read_some(asio::buffer(buffer), failed);
      if (!failed) asio::write(stream, asio::buffer(buffer, count), failed);
      done += count;
    }
  }

  asio::io_context context_;
  asio::ssl::context tls_;
  std::atomic<bool> shaken_ = false;
  std::thread thread_;
};

class TlsBridgeTest : public testing::Test {
 protected:
  void SetUp() override {
    authority_ = *MakeAuthority("ours");
    client_ = *MakeClientCertificate(authority_, "client");
    agent_ = *MakeServerCertificate("agent");
  }

  // True if a byte comes back, and then the end.
  bool Reaches(TlsBridge& bridge, const KeyAndCertificate& agent, const std::string& authority) {
    auto [plain, bridges_plain] = SocketPair();
    auto [transport, agents] = SocketPair();
    const Echo echo(agent, authority, std::move(agents), 1);
    bridge.Join(std::move(bridges_plain), std::move(transport));
    (void)!::write(plain.get(), "x", 1);
    char byte = 0;
    const bool came = ::read(plain.get(), &byte, 1) == 1 && byte == 'x';
    return came && ::read(plain.get(), &byte, 1) == 0;
  }

  KeyAndCertificate authority_;
  KeyAndCertificate client_;
  KeyAndCertificate agent_;
};

TEST_F(TlsBridgeTest, ReachesTheAgentItKnows) {
  const auto bridge = TlsBridge::Start(client_, agent_.certificate);
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  EXPECT_TRUE(Reaches(**bridge, agent_, authority_.certificate));
}

TEST_F(TlsBridgeTest, AnotherAgentWithTheSameNameIsNotTalkedTo) {
  const auto bridge = TlsBridge::Start(client_, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  EXPECT_FALSE(Reaches(**bridge, *MakeServerCertificate("agent"), authority_.certificate));
}

TEST_F(TlsBridgeTest, AnAgentThatTrustsAnotherAuthorityLetsNobodyIn) {
  const auto bridge = TlsBridge::Start(client_, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  EXPECT_FALSE(Reaches(**bridge, agent_, MakeAuthority("ours")->certificate));
}

TEST_F(TlsBridgeTest, WhatIsNoCertificateIsSaid) { EXPECT_FALSE(TlsBridge::Start(client_, "nonsense").ok()); }

TEST_F(TlsBridgeTest, ManyBytesBothWaysAtOnce) {
  constexpr size_t kSize = 20 << 20;
  const auto bridge = TlsBridge::Start(client_, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  auto [plain, bridges_plain] = SocketPair();
  auto [transport, agents] = SocketPair();
  const Echo echo(agent_, authority_.certificate, std::move(agents), kSize);
  (*bridge)->Join(std::move(bridges_plain), std::move(transport));
  std::thread writer([fd = plain.get()] {
    std::vector<unsigned char> block(1 << 20);
    for (size_t i = 0; i < block.size(); ++i) block[i] = static_cast<unsigned char>(i * 7 + i / 256);
    for (size_t done = 0; done < kSize; done += block.size()) {
      for (size_t at = 0; at < block.size();) {
        const ssize_t count = ::write(fd, block.data() + at, block.size() - at);
        if (count <= 0) return;
        at += static_cast<size_t>(count);
      }
    }
  });
  size_t wrong = 0;
  size_t came = 0;
  std::vector<unsigned char> buffer(65536);
  for (ssize_t count = 1; came < kSize && count > 0; came += static_cast<size_t>(std::max<ssize_t>(count, 0))) {
    count = ::read(plain.get(), buffer.data(), buffer.size());
    for (ssize_t i = 0; i < count; ++i) {
      const size_t at = (came + static_cast<size_t>(i)) % (1 << 20);
      wrong += buffer[static_cast<size_t>(i)] != static_cast<unsigned char>(at * 7 + at / 256);
    }
  }
  writer.join();
  EXPECT_EQ(came, kSize);
  EXPECT_EQ(wrong, 0u);
}

TEST_F(TlsBridgeTest, ABrokenTransportBreaksTheConnectionAtOnce) {
  const auto bridge = TlsBridge::Start(client_, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  auto [plain, bridges_plain] = SocketPair();
  auto [transport, agents] = SocketPair();
  (*bridge)->Join(std::move(bridges_plain), std::move(transport));
  agents.reset();
  char byte = 0;
  EXPECT_LE(::read(plain.get(), &byte, 1), 0);
}

// The agent's end: one line is answered by another, and by bytes right behind it.
class Doorkeeper {
 public:
  Doorkeeper(const KeyAndCertificate& own, UniqueFd transport, std::string answer)
      : tls_(asio::ssl::context::tls_server),
        thread_([this, own, fd = transport.release(), answer = std::move(answer)] {
          tls_.use_certificate(asio::buffer(own.certificate), asio::ssl::context::pem);
          tls_.use_private_key(asio::buffer(own.key), asio::ssl::context::pem);
          Serve(fd, answer);
        }) {}
  ~Doorkeeper() { Wait(); }

  void Wait() {
    if (thread_.joinable()) thread_.join();
  }
  const std::string& heard() const { return heard_; }

 private:
  void Serve(int fd, const std::string& answer) {
    asio::ssl::stream<Local> stream(context_, tls_);
    stream.next_layer().assign(asio::local::stream_protocol(), fd);
    boost::system::error_code failed;
    stream.handshake(asio::ssl::stream_base::server, failed);
    asio::streambuf line;
    if (!failed) asio::read_until(stream, line, '\n', failed);
    heard_.assign(static_cast<const char*>(line.data().data()), line.size());
    if (!failed) asio::write(stream, asio::buffer(answer), failed);
  }

  asio::io_context context_;
  asio::ssl::context tls_;
  std::string heard_;
  std::thread thread_;
};

std::string ReadToEnd(int fd) {
  std::string text;
  std::array<char, 256> bytes;
  for (ssize_t count = 0; (count = ::read(fd, bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<size_t>(count));
  }
  return text;
}

TEST_F(TlsBridgeTest, APrefaceIsSaidFirstAndWhatComesBehindItsAnswerIsCopied) {
  const auto bridge = TlsBridge::Start(std::nullopt, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  auto [plain, bridges_plain] = SocketPair();
  auto [transport, agents] = SocketPair();
  Doorkeeper keeper(agent_, std::move(agents), "welcome\nfirst bytes");
  std::string answer;
  (*bridge)->Join(std::move(bridges_plain), std::move(transport),
                  {.line = "let me in",
                   .accept =
                       [&answer](std::string_view line) {
                         answer = line;
                         return true;
                       },
                   .failed = nullptr});
  EXPECT_EQ(ReadToEnd(plain.get()), "first bytes");
  keeper.Wait();
  EXPECT_EQ(keeper.heard(), "let me in\n");
  EXPECT_EQ(answer, "welcome");
}

TEST_F(TlsBridgeTest, AnAnswerThatIsNotAcceptedEndsIt) {
  const auto bridge = TlsBridge::Start(std::nullopt, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  auto [plain, bridges_plain] = SocketPair();
  auto [transport, agents] = SocketPair();
  Doorkeeper keeper(agent_, std::move(agents), "go away\nfirst bytes");
  (*bridge)->Join(std::move(bridges_plain), std::move(transport),
                  {.line = "let me in", .accept = [](std::string_view) { return false; }, .failed = nullptr});
  EXPECT_EQ(ReadToEnd(plain.get()), "");
}

TEST_F(TlsBridgeTest, APrefaceIsNotSaidToAnotherAgent) {
  const auto bridge = TlsBridge::Start(std::nullopt, agent_.certificate);
  ASSERT_TRUE(bridge.ok());
  auto [plain, bridges_plain] = SocketPair();
  auto [transport, agents] = SocketPair();
  Doorkeeper keeper(*MakeServerCertificate("agent"), std::move(agents), "welcome\n");
  std::string why;
  (*bridge)->Join(std::move(bridges_plain), std::move(transport),
                  {.line = "secret",
                   .accept = [](std::string_view) { return true; },
                   .failed = [&why](std::string_view reason) { why = reason; }});
  EXPECT_EQ(ReadToEnd(plain.get()), "");
  keeper.Wait();
  EXPECT_EQ(keeper.heard(), "");
  (*bridge)->Stop();
  EXPECT_NE(why.find("certificate"), std::string::npos) << why;
}

}  // namespace
}  // namespace mirrorfs
