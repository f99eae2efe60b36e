#include "agent/target/proc_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kStatus =
    "Name:\tsh\nUmask:\t0022\nTgid:\t42\nUid:\t1000\t1001\t1002\t1003\nGid:\t50\t51\t52\t53\n"
    "Groups:\t4 24 1000 \nCapInh:\t0000000000000000\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n";

TEST(ProcTextTest, StatusGivesFileSystemIdsGroupsAndEffectiveCapabilities) {
  const auto status = ParseProcessStatus(kStatus);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->credentials.uid, 1003u);
  EXPECT_EQ(status->credentials.gid, 53u);
  EXPECT_THAT(status->credentials.groups, ElementsAre(4, 24, 1000));
  EXPECT_EQ(status->credentials.capabilities, 0xa80425fbu);
}

TEST(ProcTextTest, AStatusWithoutWhatIsNeededIsAnError) {
  for (const char* text :
       {"", "Uid:\t1\t1\t1\n", "Uid:\t1\t1\t1\tx\nGid:\t1\t1\t1\t1\nCapEff:\t0\n",
        "Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\n", "Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nCapEff:\tzz\n"}) {
    EXPECT_FALSE(ParseProcessStatus(text).ok()) << text;
  }
}

TEST(ProcTextTest, StatIsReadBehindACommandOfAnyText) {
  const auto stat = ParseProcessStat("7 (a) R 1 (x) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3");
  ASSERT_TRUE(stat.ok());
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_time, 987654u);
  EXPECT_FALSE(stat->kernel_thread);
}

TEST(ProcTextTest, AKernelThreadIsToldByItsFlag) {
  const auto stat = ParseProcessStat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0");
  ASSERT_TRUE(stat.ok());
  EXPECT_TRUE(stat->kernel_thread);
}

TEST(ProcTextTest, AShortStatIsAnError) {
  for (const char* text : {"", "7 (a", "7 (a) S 1 2 3", "7 (a) SS 1 7 7 0 -1 x 1 2 3 4 5 6 7 8 20 0 1 0 9"}) {
    EXPECT_FALSE(ParseProcessStat(text).ok()) << text;
  }
}

TEST(ProcTextTest, ContainerIdsAreFoundInEveryShapeOfControlGroup) {
  const std::string a(64, 'a');
  const std::string b(64, '1');
  EXPECT_THAT(ContainerIdsInCgroup("1:cpu:/docker/" + a + "\n0::/system.slice/docker-" + b + ".scope\n"),
              ElementsAre(a, b));
  EXPECT_THAT(ContainerIdsInCgroup("0::/../cri-containerd-" + a + ".scope"), ElementsAre(a));
  EXPECT_THAT(ContainerIdsInCgroup("0::/kubepods/pod1234-abcd/" + a.substr(1)), IsEmpty());
  EXPECT_THAT(ContainerIdsInCgroup(""), IsEmpty());
}

}  // namespace
}  // namespace mirrorfs
