// Parts of the keeper: its event loop, its control socket, the lines between processes.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/control_client.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/agent_line.h"
#include "launcher/keeper/child_end.h"
#include "launcher/keeper/child_log.h"
#include "launcher/keeper/control_server.h"
#include "launcher/keeper/copy_line.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/system/child_process.h"
#include "protos/shared/line_channel.h"

namespace mirrorfs {
namespace {

using ::testing::HasSubstr;

TEST(AgentLine, IsToldByItsBegin) {
  const AgentLine container = ParseAgentLine("container 0a1b containerd://2c3d");
  EXPECT_EQ(container.says, AgentSays::kContainer);
  EXPECT_EQ(container.text, "0a1b containerd://2c3d");
  const AgentLine progress = ParseAgentLine("progress attached pod/web (ready ), container app, target gone");
  EXPECT_EQ(progress.says, AgentSays::kProgress);
  EXPECT_EQ(progress.step, "attached");
  EXPECT_EQ(progress.text, "pod/web (ready ), container app, target gone");
  const AgentLine pod = ParseAgentLine("pod shop/mirrorfs-agent-1/agent");
  EXPECT_EQ(pod.says, AgentSays::kPod);
  EXPECT_EQ(pod.text, "shop/mirrorfs-agent-1/agent");
  EXPECT_EQ(ParseAgentLine("progress created").step, "created");
  EXPECT_EQ(ParseAgentLine("ready unix:/run/x").text, "unix:/run/x");
  EXPECT_EQ(ParseAgentLine("target gone").says, AgentSays::kTargetGone);
  EXPECT_EQ(ParseAgentLine("the target gone").says, AgentSays::kNothing);
}

TEST(LineChannel, ReadsAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  LineChannel reader{UniqueFd(ends[0])};
  const UniqueFd writer(ends[1]);
  ASSERT_EQ(::write(writer.get(), "a\nb", 3), 3);
  reader.Receive();
  EXPECT_EQ(reader.Next(), "a");
  EXPECT_EQ(reader.Next(), std::nullopt);
}

TEST(LineChannel, GivesLinesHoweverTheyCome) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  LineChannel reader{UniqueFd(ends[0])};
  {
    const UniqueFd writer(ends[1]);
    ASSERT_EQ(::write(writer.get(), "a\nb", 3), 3);
    reader.Receive();
    EXPECT_EQ(reader.Next(), "a");
    EXPECT_EQ(reader.Next(), std::nullopt);
    ASSERT_EQ(::write(writer.get(), "c\n\n", 3), 3);
  }
  reader.Receive();
  EXPECT_EQ(reader.Next(), "bc");
  EXPECT_EQ(reader.Next(), "");
  EXPECT_FALSE(reader.AtEnd());
  reader.Receive();
  EXPECT_TRUE(reader.AtEnd());
}

TEST(LineChannel, ALineWithoutEndIsCutOff) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  LineChannel reader{UniqueFd(ends[0])};
  std::jthread writer([fd = ends[1]] {
    LineChannel channel{UniqueFd(fd)};
    EXPECT_FALSE(channel.Send(std::string(LineChannel::kMaxLine * 3, 'x')).ok());
  });
  while (!reader.AtEnd()) reader.Receive();
  EXPECT_EQ(reader.Next(), std::nullopt);
  ::shutdown(reader.fd(), SHUT_RDWR);
}

TEST(CopyLine, FitsAndHarmsNothing) {
  const CopyStep step{.path = "/srv/\x1b[2Jlarge.db", .done = 120 << 20, .size = uint64_t{1} << 30};
  EXPECT_EQ(CopyLine(step, 1000), "copying /srv/?[2Jlarge.db to the private layer: 120 of 1024 MiB");
  const std::string narrow = CopyLine(step, 60);
  EXPECT_EQ(narrow.size(), 60u);
  EXPECT_THAT(narrow, HasSubstr("copying ..."));
  EXPECT_THAT(narrow, HasSubstr("large.db to the private layer: 120 of 1024 MiB"));
}

TEST(JsonLines, StatusMakesTheRoundTrip) {
  const absl::Status status = StatusFromJson(*FromLine(ToLine(StatusToJson(Failure(ExitCode::kBusy, "in use")))));
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kBusy);
  EXPECT_EQ(MessageOf(status), "in use");
  EXPECT_TRUE(StatusFromJson(StatusToJson(absl::OkStatus())).ok());
  EXPECT_EQ(FromLine("[1]"), std::nullopt);
  EXPECT_EQ(FromLine("{"), std::nullopt);
  EXPECT_EQ(TextField({{"a", 1}}, "a"), "");
}

TEST(EventLoop, TimersComeInOrderAndCanBeCancelled) {
  EventLoop loop;
  std::string order;
  const auto never = loop.After(absl::ZeroDuration(), [&] { order += 'x'; });
  loop.After(absl::Milliseconds(20), [&] {
    order += 'b';
    loop.Stop();
  });
  loop.After(absl::Milliseconds(1), [&] { order += 'a'; });
  loop.Cancel(never);
  loop.Run();
  EXPECT_EQ(order, "ab");
}

TEST(EventLoop, ReapsChildren) {
  EventLoop loop;
  const auto pid =
      StartChild({.program = "/bin/sh", .command = {"sh", "-c", "exit 3"}, .output = -1, .descriptors = {}});
  ASSERT_TRUE(pid.ok()) << pid.status();
  int status = -1;
  ASSERT_TRUE(loop.WatchChild(*pid,
                              [&](int ended) {
                                status = ended;
                                loop.Stop();
                              })
                  .ok());
  loop.Run();
  EXPECT_EQ(DescribeEnd(status), "ended with exit code 3");
  EXPECT_EQ(ExitCodeOfChild(status), ExitCode::kNoTarget);
}

TEST(EventLoop, AWatchThatAnEarlierCallbackEndedIsNotCalled) {
  EventLoop loop;
  int first[2];
  int second[2];
  ASSERT_EQ(::pipe(first), 0);
  ASSERT_EQ(::pipe(second), 0);
  ASSERT_EQ(::write(first[1], "x", 1), 1);
  ASSERT_EQ(::write(second[1], "x", 1), 1);
  int calls = 0;
  const auto once = [&] {
    ++calls;
    loop.Unwatch(first[0]);
    loop.Unwatch(second[0]);
    loop.Stop();
  };
  loop.Watch(first[0], POLLIN, once);
  loop.Watch(second[0], POLLIN, once);
  loop.Run();
  EXPECT_EQ(calls, 1);
  for (const int fd : {first[0], first[1], second[0], second[1]}) ::close(fd);
}

TEST(ChildEnd, TellsWhyAProgramDidNotStart) {
  const absl::Status said = StartFailure("mirrorfs-agent", 3 << 8, "mirrorfs-agent: docker/web: no such container");
  EXPECT_EQ(MessageOf(said), "docker/web: no such container");
  EXPECT_EQ(ExitCodeOf(said), ExitCode::kNoTarget);
  const absl::Status silent = StartFailure("mirrorfs-agent", 9, "");
  EXPECT_THAT(MessageOf(silent), HasSubstr("killed by signal 9"));
  EXPECT_EQ(ExitCodeOf(silent), ExitCode::kUnreachable);
}

TEST(ChildEnd, QuotesWhatFusermountSaid) {
  const absl::Status status = WithFuseOutput(Failure(ExitCode::kMountPoint, "cannot mount"),
                                             "[x] [mirrorfsd] other\nfusermount3: mountpoint is not empty\n");
  EXPECT_EQ(MessageOf(status), "cannot mount (fusermount3: mountpoint is not empty)");
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kMountPoint);
}

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    std::string pattern = "/tmp/launcher-control-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    socket_ = directory_ + "/s";
  }
  ~ControlTest() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  std::string socket_;
};

TEST_F(ControlTest, AnswersEachRequest) {
  EventLoop loop;
  ControlServer server(loop, [&](const nlohmann::json& request, const ControlServer::Reply& reply) {
    const std::string word = TextField(request, "request");
    reply(word == "good" ? nlohmann::json{{"ok", true}, {"n", 5}} : StatusToJson(Failure(ExitCode::kBusy, "no")));
    if (word == "bad") loop.Stop();
  });
  ASSERT_TRUE(server.Listen(socket_).ok());
  std::jthread client([&] {
    const auto good = AskKeeper(socket_, {{"request", "good"}}, absl::Seconds(10));
    ASSERT_TRUE(good.ok()) << good.status();
    EXPECT_EQ(NumberField(*good, "n"), 5);
    EXPECT_EQ(ExitCodeOf(AskKeeper(socket_, {{"request", "bad"}}, absl::Seconds(10)).status()), ExitCode::kBusy);
  });
  loop.Run();
  client.join();
  server.Close();
}

TEST_F(ControlTest, NobodyThereIsUnreachable) {
  const auto answer = AskKeeper(socket_, {{"request", "x"}}, absl::Seconds(1));
  EXPECT_EQ(ExitCodeOf(answer.status()), ExitCode::kUnreachable);
}

TEST_F(ControlTest, TheLogGivesTheLastLines) {
  const std::string path = directory_ + "/log";
  auto log = ChildLog::ToFile(path);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(::write(log->fd(), "old\n", 4), 4);
  const uint64_t position = log->Position();
  ASSERT_EQ(::write(log->fd(), "new 1\nnew 2\n", 12), 12);
  EXPECT_EQ(log->TextSince(position), "new 1\nnew 2");
  EXPECT_EQ(log->TextSince(log->Position()), "");
}

}  // namespace
}  // namespace mirrorfs
