// What a runtime's socket may answer that a real runtime does not.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "agent/target/target.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

using testing::HasSubstr;

class RuntimeAnswerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "socketXXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    if (listener_) ::shutdown(listener_.get(), SHUT_RDWR);
    if (server_.joinable()) server_.join();
    std::filesystem::remove_all(directory_);
  }

  std::string SocketPath() const { return directory_ + "/runtime.sock"; }

  void Listen() {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    SocketPath().copy(address.sun_path, sizeof(address.sun_path) - 1);
    listener_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::listen(listener_.get(), 8), 0);
  }

  // Answers the first connection on which something is sent (a mere look whether somebody listens comes before it).
  void AnswerWith(std::string answer) {
    Listen();
    server_ = std::thread([this, answer = std::move(answer)] {
      while (true) {
        UniqueFd connection(::accept(listener_.get(), nullptr, nullptr));
        if (!connection) return;
        char request[4096];
        if (::read(connection.get(), request, sizeof(request)) <= 0) continue;
        ASSERT_EQ(::write(connection.get(), answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
        return;
      }
    });
  }

  absl::Status Resolve() const {
    return Target::Resolve({.target = "docker/web", .runtime_socket = SocketPath()}).status();
  }

  std::string directory_;
  UniqueFd listener_;
  std::thread server_;
};

std::string Http(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(RuntimeAnswerTest, NoSocket) {
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(Resolve().message()), HasSubstr(SocketPath() + " (No such file or directory)"));
}

TEST_F(RuntimeAnswerTest, NobodyListens) {
  Listen();
  listener_.reset();
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(Resolve().message()), HasSubstr("Connection refused"));
}

TEST_F(RuntimeAnswerTest, NotHttp) {
  AnswerWith("\xff garbage\r\n\r\n");
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RuntimeAnswerTest, ConnectionClosed) {
  AnswerWith("");
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RuntimeAnswerTest, ErrorOfTheDaemon) {
  AnswerWith(Http("500 Internal Server Error", R"({"message":"out of order"})"));
  const absl::Status status = Resolve();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("out of order"));
}

TEST_F(RuntimeAnswerTest, NotJson) {
  AnswerWith(Http("200 OK", "<html>"));
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RuntimeAnswerTest, JsonOfAnotherShape) {
  AnswerWith(Http("200 OK", R"({"Id": 7})"));
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RuntimeAnswerTest, MembersOfOtherTypes) {
  AnswerWith(Http("200 OK", R"([1, null, {"Id": 7, "Names": [3], "State": []}, {"Names": "web"}])"));
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kNotFound);
}

TEST_F(RuntimeAnswerTest, AnAnswerWithoutEndIsCutOff) {
  AnswerWith("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[");
  EXPECT_EQ(Resolve().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace mirrorfs
