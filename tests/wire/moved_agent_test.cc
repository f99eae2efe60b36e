// The agent serves another container than before: gone on with if that was asked for, and then nothing is mixed up.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/wire/in_process_agent.h"
#include "tests/wire/temporary_directory.h"

namespace mirrorfs {
namespace {

namespace fs = std::filesystem;

class MovedAgentTest : public testing::Test {
 protected:
  void Start(bool follow) {
    fs::create_directory(Root());
    Write("f", "first");
    auto agent = InProcessAgent::Start({.directory = Root(), .server = {.read_write = true}});
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
    auto session = agent_->Connect({.read_write = true, .follow = follow});
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *std::move(session);
    ASSERT_TRUE(Files().Open({}, Find("f"), HandleId{1}, {.read = true, .write = true}, 0).ok());
  }
  // Another root in the place of the one that was served.
  void Move(const std::string& content) {
    agent_->Stop();
    fs::rename(Root(), Root() + std::to_string(++moves_));
    fs::create_directory(Root());
    Write("f", content);
    ASSERT_TRUE(agent_->Restart().ok());
  }
  std::string Root() const { return place_.Path() + "/root"; }
  void Write(const std::string& name, const std::string& content) { std::ofstream(Root() + "/" + name) << content; }
  FileSystem& Files() { return session_->Files(); }
  NodeId Find(const std::string& name) {
    const absl::StatusOr<Entry> entry = Files().Lookup({}, NodeId::kRoot, name);
    EXPECT_TRUE(entry.ok()) << name << ": " << entry.status();
    return entry.ok() ? entry->node : NodeId::kInvalid;
  }

  TemporaryDirectory place_;
  std::unique_ptr<InProcessAgent> agent_;
  std::unique_ptr<RemoteSession> session_;
  int moves_ = 0;
};

TEST_F(MovedAgentTest, NewLookUpsGoToTheNewRootAndWhatWasHeldIsStale) {
  ASSERT_NO_FATAL_FAILURE(Start(/*follow=*/true));
  const NodeId former = Find("f");
  ASSERT_NO_FATAL_FAILURE(Move("second"));
  const NodeId file = Find("f");
  EXPECT_NE(file, former);
  EXPECT_EQ(ToErrno(Files().GetAttr({}, {former}).status()), ESTALE);
  EXPECT_EQ(ToErrno(Files().Read({}, HandleId{1}, 0, 100).status()), ESTALE);
  EXPECT_EQ(ToErrno(Files().Write({}, HandleId{1}, 0, absl::Cord("x")).status()), ESTALE);
  ASSERT_TRUE(Files().Open({}, file, HandleId{2}, {.read = true}, 0).ok());
  const absl::StatusOr<absl::Cord> data = Files().Read({}, HandleId{2}, 0, 100);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(*data, "second");
}

TEST_F(MovedAgentTest, AfterAMoveAnAgentThatRestartsGetsOnlyWhatIsOfTheNewRoot) {
  ASSERT_NO_FATAL_FAILURE(Start(/*follow=*/true));
  const NodeId former = Find("f");
  ASSERT_NO_FATAL_FAILURE(Move("second"));
  const NodeId file = Find("f");
  ASSERT_TRUE(Files().Open({}, file, HandleId{2}, {.read = true}, 0).ok());
  ASSERT_TRUE(agent_->Restart().ok());
  EXPECT_TRUE(Files().Read({}, HandleId{2}, 0, 100).ok());
  EXPECT_TRUE(Files().GetAttr({}, {file}).ok());
  EXPECT_EQ(ToErrno(Files().GetAttr({}, {former}).status()), ESTALE);
  Write("g", "new");
  EXPECT_NE(Find("g"), former);
  EXPECT_NE(Find("g"), file);
}

TEST_F(MovedAgentTest, WithoutBeingAskedForItIsRefused) {
  ASSERT_NO_FATAL_FAILURE(Start(/*follow=*/false));
  ASSERT_NO_FATAL_FAILURE(Move("second"));
  EXPECT_EQ(ToErrno(Files().Lookup({}, NodeId::kRoot, "f").status()), EHOSTDOWN);
  EXPECT_EQ(ToErrno(Files().Read({}, HandleId{1}, 0, 100).status()), EHOSTDOWN);
}

}  // namespace
}  // namespace mirrorfs
