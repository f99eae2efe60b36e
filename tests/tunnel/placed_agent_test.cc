// A real agent, put into a directory of this machine by a real shell.
#include "launcher/tunnel/placed_agent.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"
#include "launcher/plan/process_facts.h"
#include "launcher/tunnel/tunnel_server.h"

namespace mirrorfs {
namespace {

using testing::HasSubstr;

// "In the container" is here. `before` runs in the shell that the agent is put by.
class LocalRunner : public ContainerRunner {
 public:
  explicit LocalRunner(std::string before = "", std::string container = "here")
      : before_(std::move(before)), container_(std::move(container)) {}

  absl::StatusOr<std::string> Find(const std::string&) override { return container_; }
  std::vector<std::string> Exec(const std::vector<std::string>& words) const override {
    std::vector<std::string> command = {"/usr/bin/env"};
    command.insert(command.end(), words.begin(), words.end());
    // The script is the third word of "sh -c SCRIPT".
    if (words[0] == "sh") command[3] = before_ + "\n" + command[3];
    return command;
  }
  absl::Status Explain(const std::string& errors) const override {
    return Failure(ExitCode::kUnreachable, "the runner says: " + errors);
  }
  std::string OtherWays() const override { return "There are other ways."; }

 private:
  std::string before_;
  std::string container_;
};

std::vector<std::string> Directories() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/tmp")) {
    if (entry.path().filename().string().starts_with(".mirrorfs-agent-")) found.push_back(entry.path());
  }
  return found;
}

PlacementOptions Options() {
  PlacementOptions options;
  options.target = "docker/web";
  options.agent_path = AGENT_PATH;
  return options;
}

absl::Status StartWith(const std::string& before, const PlacementOptions& options = Options()) {
  EventLoop loop;
  return PlacedAgent::Start(loop, std::make_unique<LocalRunner>(before), options).status();
}

// The agent's first words to whoever connects: an HTTP/2 SETTINGS frame.
std::string FirstWords(const std::string& socket_path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  const UniqueFd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  EXPECT_EQ(::write(connection.get(), kPreface.data(), 33), 33);
  std::string words(9, '\0');
  EXPECT_EQ(::recv(connection.get(), words.data(), words.size(), MSG_WAITALL), 9);
  return words;
}

class PlacedAgentTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(Directories(), testing::IsEmpty()) << "left behind"; }
};

TEST_F(PlacedAgentTest, IsReachedThroughTheTunnelAndLeavesNothing) {
  EventLoop loop;
  PlacementOptions options = Options();
  options.asks_for_facts = true;
  auto agent = PlacedAgent::Start(loop, std::make_unique<LocalRunner>(), options);
  ASSERT_TRUE(agent.ok()) << agent.status();
  EXPECT_THAT((*agent)->Container(), testing::StartsWith("here -"));
  options.expected_container = (*agent)->Container();
  EXPECT_TRUE(StartWith("", options).ok());
  options.expected_container = "here -another";  // the runner says that it is the same, and it says that it is not
  EXPECT_EQ(ExitCodeOf(StartWith("", options)), ExitCode::kNoTarget);
  options.expected_container.clear();
  EXPECT_TRUE((*agent)->CheckContainer().ok());
  EXPECT_EQ(Directories().size(), 1U);
  const auto facts = ParseProcessFacts((*agent)->Facts());
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_FALSE(facts->working_directory.empty());

  const std::string socket = testing::TempDir() + "tunnel.sock";
  auto server = TunnelServer::Listen(loop, socket, (*agent)->Streams());
  ASSERT_TRUE(server.ok()) << server.status();
  std::string words;
  std::thread client([&] { words = FirstWords(socket); });
  loop.After(absl::Seconds(2), [&] { loop.Stop(); });
  loop.Run();
  client.join();
  EXPECT_EQ(words[3], 4);  // SETTINGS
}

TEST_F(PlacedAgentTest, ItTellsHowFarItHasCome) {
  std::vector<std::string> steps;
  std::string place;
  PlacementOptions options = Options();
  options.progress = [&](std::string_view step, std::string_view detail) {
    steps.emplace_back(step);
    if (step == "placed") place = detail;
  };
  EXPECT_TRUE(StartWith("", options).ok());
  EXPECT_THAT(steps, testing::ElementsAre("placed", "started", "attached"));
  EXPECT_THAT(place, HasSubstr("/.mirrorfs-agent-"));
  steps.clear();
  EXPECT_FALSE(StartWith("head() { command head -c 1000; }", options).ok());
  EXPECT_THAT(steps, testing::IsEmpty()) << "what did not arrive is not placed";
}

TEST_F(PlacedAgentTest, ItsDeathIsToldOnce) {
  EventLoop loop;
  auto agent = PlacedAgent::Start(loop, std::make_unique<LocalRunner>(), Options());
  ASSERT_TRUE(agent.ok()) << agent.status();
  int lost = 0;
  (*agent)->Watch([&] {
    ++lost;
    loop.After(absl::Milliseconds(200), [&] { loop.Stop(); });
  });
  const std::vector<std::string> directories = Directories();
  ASSERT_EQ(directories.size(), 1U);
  // SIGTERM, as it would end itself.
  ASSERT_EQ(std::system(("for p in /proc/[0-9]*; do [ \"$(readlink $p/exe)\" = " + directories[0] +
                         "/mirrorfs-agent ] && kill ${p#/proc/}; done; true")
                            .c_str()),
            0);
  loop.Run();
  EXPECT_EQ(lost, 1);
}

TEST_F(PlacedAgentTest, WhatAKilledOneHasLeftIsRemovedByTheNext) {
  const std::string left = "/tmp/.mirrorfs-agent-0000000000000000";
  std::filesystem::create_directory(left);
  std::ofstream(left + "/lock") << "";
  std::ofstream(left + "/mirrorfs-agent") << "x";
  EXPECT_TRUE(StartWith("").ok());
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST_F(PlacedAgentTest, AnotherContainerIsNotTakenForTheExpectedOne) {
  PlacementOptions options = Options();
  options.expected_container = "the one before";
  const absl::Status status = StartWith("", options);
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kNoTarget);
}

TEST_F(PlacedAgentTest, AnotherArchitectureIsAskedForItsAgent) {
  const absl::Status status = StartWith("uname() { echo riscv64; }");
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUnreachable);
  EXPECT_THAT(MessageOf(status), HasSubstr("riscv64"));
  EXPECT_THAT(MessageOf(status), HasSubstr("mirrorfs-agent-riscv64"));
}

TEST_F(PlacedAgentTest, NowhereToRunSaysWhereWasTried) {
  const absl::Status status = StartWith("mkdir() { return 1; }");
  EXPECT_THAT(MessageOf(status), HasSubstr("/tmp (cannot be written)"));
  EXPECT_THAT(MessageOf(status), HasSubstr("There are other ways."));
}

TEST_F(PlacedAgentTest, AMissingProgramIsNamed) {
  const absl::Status status = StartWith("command() { [ \"$2\" != head ]; }");
  EXPECT_THAT(MessageOf(status), HasSubstr("there is no 'head'"));
}

TEST_F(PlacedAgentTest, WhatDoesNotArriveWholeIsNotRun) {
  EXPECT_THAT(MessageOf(StartWith("head() { command head -c 1000; }")), HasSubstr("did not arrive whole"));
  EXPECT_THAT(MessageOf(StartWith("head() { command head -c \"$2\" | tr a b; }")), HasSubstr("did not arrive whole"));
}

TEST_F(PlacedAgentTest, ARunnerThatFailsIsExplained) {
  EXPECT_THAT(MessageOf(StartWith("echo no way >&2; exit 1")), HasSubstr("the runner says: no way"));
}

TEST_F(PlacedAgentTest, TheAgentsOwnWordsAreTold) {
  PlacementOptions options = Options();
  options.agent_arguments = {"--devices"};
  const absl::Status status = StartWith("", options);
  EXPECT_EQ(MessageOf(status), "--devices needs --rw");
}

}  // namespace
}  // namespace mirrorfs
