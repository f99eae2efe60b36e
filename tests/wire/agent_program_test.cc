// The agent's command line and its socket.
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "agent/listener.h"
#include "agent/options.h"
#include "gtest/gtest.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

absl::StatusOr<AgentOptions> Parse(std::vector<std::string> words) {
  words.insert(words.begin(), "mirrorfs-agent");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return ParseAgentOptions(static_cast<int>(pointers.size()), pointers.data());
}

std::string ErrorOf(std::vector<std::string> words) { return std::string(Parse(std::move(words)).status().message()); }

TEST(AgentOptionsTest, Defaults) {
  const absl::StatusOr<AgentOptions> options = Parse({"--target", "docker/web", "--listen", "unix:/run/x"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->target, "docker/web");
  EXPECT_FALSE(options->read_write);
  EXPECT_EQ(options->ttl, absl::ZeroDuration());
  EXPECT_EQ(options->lease, absl::Seconds(30));
  EXPECT_TRUE(options->AllowsContainer() && options->AllowsCaller() && options->AllowsFixed());
}

TEST(AgentOptionsTest, MistakesAreNamed) {
  const std::vector<std::string> fine = {"--target", "pid/1", "--listen", "unix:/run/x"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), fine.begin(), fine.end());
    return ErrorOf(more);
  };
  EXPECT_EQ(with({}), "");
  EXPECT_NE(ErrorOf({}).find("--target"), std::string::npos);
  EXPECT_NE(ErrorOf({"--target", "pid/1"}).find("--listen"), std::string::npos);
  EXPECT_NE(with({"--ttl", "soon"}).find("--ttl soon"), std::string::npos);
  EXPECT_NE(with({"--lease", "1ms"}).find("--lease"), std::string::npos);
  EXPECT_NE(with({"--devices"}).find("--rw"), std::string::npos);
  EXPECT_NE(with({"--identities", "container,root"}).find("root"), std::string::npos);
  EXPECT_NE(with({"--tls-ca", "/x"}).find("--tls-cert"), std::string::npos);
  EXPECT_NE(with({"--nonsense"}).find("nonsense"), std::string::npos);
  EXPECT_NE(with({"--log-level", "loud"}).find("loud"), std::string::npos);
}

class ListenerTest : public testing::Test {
 protected:
  std::string Path() const { return directory_.Path() + "/agent.sock"; }
  TemporaryDirectory directory_;
};

TEST_F(ListenerTest, TheSocketIsForItsOwnerOnly) {
  const absl::StatusOr<Listener> listener = ListenAt("unix:" + Path(), false);
  ASSERT_TRUE(listener.ok()) << listener.status();
  struct stat found;
  ASSERT_EQ(stat(Path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(ListenerTest, ADeadSocketIsReplacedALiveOneIsNot) {
  {
    const absl::StatusOr<Listener> first = ListenAt("unix:" + Path(), false);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(ListenAt("unix:" + Path(), false).status().code(), absl::StatusCode::kAlreadyExists);
  }
  EXPECT_TRUE(std::filesystem::exists(Path()));
  EXPECT_TRUE(ListenAt("unix:" + Path(), false).ok());
}

TEST_F(ListenerTest, WhatIsNotASocketIsLeftAlone) {
  std::ofstream(Path()) << "precious";
  EXPECT_EQ(ListenAt("unix:" + Path(), false).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::filesystem::file_size(Path()), 8u);
}

TEST_F(ListenerTest, ADirectoryThatOthersCanWriteToIsRefused) {
  ASSERT_EQ(chmod(directory_.Path().c_str(), 0777), 0);
  EXPECT_EQ(ListenAt("unix:" + Path(), false).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ListenerTest, ImpossiblePlaces) {
  const auto refused = [](const std::string& where) {
    return ListenAt(where, false).status().code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused("unix:relative"));
  EXPECT_TRUE(refused("unix:/nowhere/at/all"));
  EXPECT_TRUE(refused("unix:/" + std::string(200, 'x')));
  EXPECT_TRUE(refused("somewhere"));
  EXPECT_TRUE(refused("127.0.0.1:70000"));
  EXPECT_TRUE(refused("0.0.0.0:0"));
}

TEST_F(ListenerTest, APortIsToldAndNotShared) {
  const absl::StatusOr<Listener> first = ListenAt("127.0.0.1:0", false);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->endpoint.starts_with("127.0.0.1:"));
  EXPECT_NE(first->endpoint, "127.0.0.1:0");
  EXPECT_EQ(ListenAt(first->endpoint, false).status().code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace mirrorfs
