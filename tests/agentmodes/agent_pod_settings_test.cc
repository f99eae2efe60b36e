#include "launcher/agentmodes/agent_pod_settings.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<AgentPodSpec> FromFlags(std::vector<std::string> words, AgentPodSpec spec = {}) {
  AgentPodWords given;
  boost::program_options::options_description description;
  AddAgentPodFlags(description, given);
  boost::program_options::variables_map values;
  boost::program_options::store(boost::program_options::command_line_parser(words).options(description).run(), values);
  boost::program_options::notify(values);
  const absl::Status applied = ApplyAgentPodWords(given, "--agent-", spec);
  if (!applied.ok()) return applied;
  return spec;
}

std::string ErrorOf(std::vector<std::string> words) { return MessageOf(FromFlags(std::move(words)).status()); }

TEST(AgentPodSettingsTest, FlagsSayWhatThePodIsLike) {
  const auto spec =
      FromFlags({"--agent-image", "x@sha256:1", "--agent-limit", "memory=1Gi", "--agent-limit", "cpu=2",
                 "--agent-toleration", "gpu=yes:NoSchedule", "--agent-toleration", ":NoExecute", "--agent-ttl", "5m",
                 "--agent-privileged", "--agent-keep-mesh", "--agent-pid-from", "cgroup"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->image, "x@sha256:1");
  EXPECT_THAT(spec->limits, ElementsAre(testing::Pair("cpu", "2"), testing::Pair("memory", "1Gi")));
  EXPECT_THAT(spec->tolerations,
              ElementsAre(AgentToleration{"gpu", "yes", "NoSchedule"}, AgentToleration{"", "", "NoExecute"}));
  EXPECT_EQ(spec->ttl, absl::Minutes(5));
  EXPECT_TRUE(spec->privileged && !spec->mesh_opt_out && spec->pid_from_cgroup);
}

TEST(AgentPodSettingsTest, MistakesNameTheFlagAndWhatIsExpected) {
  EXPECT_THAT(ErrorOf({"--agent-label", "nonsense"}), HasSubstr("--agent-label nonsense: expected NAME=VALUE"));
  EXPECT_THAT(ErrorOf({"--agent-pull-policy", "never"}), HasSubstr("Always, IfNotPresent or Never"));
  EXPECT_THAT(ErrorOf({"--agent-toleration", "a:Whatever"}), HasSubstr("NoSchedule"));
  EXPECT_THAT(ErrorOf({"--agent-toleration", "=x:NoSchedule"}), HasSubstr("KEY"));
  EXPECT_THAT(ErrorOf({"--agent-port", "0"}), HasSubstr("1 to 65535"));
  EXPECT_THAT(ErrorOf({"--agent-ttl", "soon"}), HasSubstr("a time"));
  EXPECT_THAT(ErrorOf({"--agent-image", "a", "--agent-image", "b"}), HasSubstr("say it once"));
}

TEST(AgentPodSettingsTest, TheEnvironmentSaysTheSame) {
  const auto words = AgentPodWordsOf({{"MIRRORFS_AGENT_LABEL", "a=1;b=2"},
                                      {"MIRRORFS_AGENT_PULL_POLICY", "Never"},
                                      {"MIRRORFS_AGENT_IMAGE", ""},
                                      {"OTHER", "x"}});
  ASSERT_TRUE(words.ok()) << words.status();
  AgentPodSpec spec;
  ASSERT_TRUE(ApplyAgentPodWords(*words, "MIRRORFS_AGENT_", spec).ok());
  EXPECT_THAT(spec.labels, ElementsAre(testing::Pair("a", "1"), testing::Pair("b", "2")));
  EXPECT_EQ(spec.pull_policy, "Never");
  EXPECT_EQ(spec.image, "");
}

TEST(AgentPodSettingsTest, AVariableThatMeansNothingIsAnError) {
  EXPECT_THAT(MessageOf(AgentPodWordsOf({{"MIRRORFS_AGENT_IMGE", "x"}}).status()), HasSubstr("MIRRORFS_AGENT_IMAGE"));
}

TEST(AgentPodSettingsTest, AFlagTakesThePlaceOfTheWholeList) {
  AgentPodSpec before;
  before.labels = {{"old", "1"}};
  const auto spec = FromFlags({"--agent-label", "new=2"}, before);
  ASSERT_TRUE(spec.ok());
  EXPECT_THAT(spec->labels, ElementsAre(testing::Pair("new", "2")));
}

TEST(AgentPodSettingsTest, ASpecSurvivesTheWayToTheTunnel) {
  const auto spec = FromFlags(
      {"--agent-image",           "x",     "--agent-pull-secret", "s",   "--agent-toleration",      "k=v:NoExecute",
       "--agent-request",         "cpu=1", "--agent-annotation",  "a=b", "--agent-active-deadline", "1h",
       "--agent-start-limit",     "7s",    "--agent-namespace",   "n",   "--agent-priority-class",  "p",
       "--agent-service-account", "sa",    "--agent-port",        "99"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(AgentPodSpecOf(ToJson(*spec)), *spec);
}

}  // namespace
}  // namespace mirrorfs
