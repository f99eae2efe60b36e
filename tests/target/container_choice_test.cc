#include "agent/target/container_choice.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kIdA = std::string("aa11") + std::string(60, '0');
const std::string kIdB = std::string("aa22") + std::string(60, '0');
const std::string kIdC = std::string("cc33") + std::string(60, '0');

std::vector<ListedContainer> Containers() {
  return {{.id = kIdA, .names = {"web"}, .state = "running", .running = true},
          {.id = kIdB, .names = {"database", "db"}, .state = "paused", .running = true},
          {.id = kIdC, .names = {"web-old"}, .state = "exited", .running = false}};
}

std::string ChosenId(std::string_view wanted, const std::vector<ListedContainer>& containers) {
  const auto chosen = ChooseContainer("docker", wanted, containers);
  return chosen.ok() ? chosen->id : chosen.status().ToString();
}

TEST(ContainerChoiceTest, FindsByNameAndIdAndBeginningOfId) {
  EXPECT_EQ(ChosenId("web", Containers()), kIdA);
  EXPECT_EQ(ChosenId("db", Containers()), kIdB);
  EXPECT_EQ(ChosenId(kIdC, Containers()), kIdC);
  EXPECT_EQ(ChosenId("aa2", Containers()), kIdB);
}

TEST(ContainerChoiceTest, ANameWinsOverTheBeginningOfAnId) {
  auto containers = Containers();
  containers[1].names = {"aa1"};
  EXPECT_EQ(ChosenId("aa1", containers), kIdB);
}

TEST(ContainerChoiceTest, AnIdWinsOverAName) {
  auto containers = Containers();
  containers[1].names = {kIdA};
  EXPECT_EQ(ChosenId(kIdA, containers), kIdA);
}

TEST(ContainerChoiceTest, AmongEqualsARunningOneWins) {
  auto containers = Containers();
  containers[2].names = {"web"};
  EXPECT_EQ(ChosenId("web", containers), kIdA);
}

TEST(ContainerChoiceTest, SeveralMatchesAreListed) {
  const auto chosen = ChooseContainer("docker", "aa", Containers());
  EXPECT_EQ(chosen.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(chosen.status().message());
  EXPECT_THAT(message, HasSubstr("2 containers match \"aa\""));
  EXPECT_THAT(message, HasSubstr("web (aa1100000000, running)"));
  EXPECT_THAT(message, HasSubstr("database (aa2200000000, paused)"));
  EXPECT_THAT(message, Not(HasSubstr("web-old")));
}

TEST(ContainerChoiceTest, AnUnknownNameIsToldWhatIsLikeIt) {
  const auto chosen = ChooseContainer("docker", "wep", Containers());
  EXPECT_EQ(chosen.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(chosen.status().message()),
              HasSubstr("no container \"wep\"; there is web, database, web-old (not running)"));
}

TEST(ContainerChoiceTest, NoContainersAtAllIsSaid) {
  const auto chosen = ChooseContainer("podman", "web", {});
  EXPECT_EQ(chosen.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(chosen.status().message()), HasSubstr("there are no containers"));
}

TEST(ContainerChoiceTest, ALongListOfNamesIsCut) {
  std::vector<ListedContainer> containers;
  for (int number = 0; number < 25; ++number) {
    containers.push_back(
        {.id = std::to_string(number), .names = {"n" + std::to_string(number)}, .state = "running", .running = true});
  }
  EXPECT_THAT(std::string(ChooseContainer("docker", "x", containers).status().message()), HasSubstr("and 15 more"));
}

TEST(ContainerChoiceTest, AStoppedOneIsRefusedWithItsStateAndTheAdvice) {
  const absl::Status status = CheckRunning("docker", Containers()[2], "start it: docker start web-old");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "docker/web-old (cc3300000000) is not running (its state is \"exited\"); start it: docker start web-old");
  EXPECT_TRUE(CheckRunning("docker", Containers()[0], "").ok());
}

}  // namespace
}  // namespace mirrorfs
