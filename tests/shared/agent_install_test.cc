#include "launcher/commands/agent_install.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

AgentInstallation Plain() {
  return {.helm = "/usr/bin/helm", .access = {}, .chart = "/chart", .image = {}, .more_words = {}};
}

TEST(AgentInstallTest, InstallsWhereMountsLookForIt) {
  EXPECT_THAT(HelmInstallCommand(Plain()),
              ElementsAre("/usr/bin/helm", "upgrade", "--install", "mirrorfs-agent", "/chart", "--namespace",
                          "mirrorfs", "--create-namespace", "--wait", "--timeout", "3m"));
  EXPECT_THAT(HelmUninstallCommand(Plain()),
              ElementsAre("/usr/bin/helm", "uninstall", "mirrorfs-agent", "--namespace", "mirrorfs", "--wait"));
}

TEST(AgentInstallTest, TheClusterIsTheOneThatIsNamed) {
  AgentInstallation installation = Plain();
  installation.access = {.kubectl = {},
                         .kubeconfig = "/kube",
                         .context = "prod",
                         .name_space = "tools",
                         .impersonate = "admin",
                         .impersonate_groups = {"ops"}};
  installation.more_words = {"--set", "readWrite=never"};
  EXPECT_THAT(HelmInstallCommand(installation), AllOf(Contains("/kube"), Contains("prod"), Contains("tools"),
                                                      Contains("admin"), Contains("ops"), Contains("readWrite=never")));
}

TEST(AgentInstallTest, AnImagesNameIsTakenApart) {
  AgentInstallation installation = Plain();
  installation.image = "registry:5000/tools/mirrorfs-agent@sha256:abc";
  EXPECT_THAT(HelmInstallCommand(installation), AllOf(Contains("image.repository=registry:5000/tools/mirrorfs-agent"),
                                                      Contains("image.digest=sha256:abc")));
  installation.image = "registry:5000/tools/mirrorfs-agent:1.2";
  EXPECT_THAT(HelmInstallCommand(installation),
              AllOf(Contains("image.repository=registry:5000/tools/mirrorfs-agent"), Contains("image.tag=1.2")));
  installation.image = "registry:5000/tools/mirrorfs-agent";
  EXPECT_THAT(HelmInstallCommand(installation), Not(Contains(HasSubstr("image.tag"))));
}

}  // namespace
}  // namespace mirrorfs
