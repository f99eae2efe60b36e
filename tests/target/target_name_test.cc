#include "agent/target/target_name.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using testing::HasSubstr;

TEST(TargetNameTest, TakesEachKindApart) {
  const auto docker = ParseTargetName("docker/web");
  ASSERT_TRUE(docker.ok());
  EXPECT_EQ(docker->kind, TargetKind::kDocker);
  EXPECT_EQ(docker->name, "web");
  const auto containerd = ParseTargetName("containerd/k8s.io/abc/def");
  ASSERT_TRUE(containerd.ok());
  EXPECT_EQ(containerd->kind, TargetKind::kContainerd);
  EXPECT_EQ(containerd->space, "k8s.io");
  EXPECT_EQ(containerd->name, "abc/def");
  const auto cri = ParseTargetName("cri/shop/web-0/app");
  ASSERT_TRUE(cri.ok());
  EXPECT_EQ(cri->name, "shop/web-0/app");
  const auto pid = ParseTargetName("pid/4711");
  ASSERT_TRUE(pid.ok());
  EXPECT_EQ(pid->pid, 4711);
  const auto directory = ParseTargetName("dir:/srv/a dir");
  ASSERT_TRUE(directory.ok());
  EXPECT_EQ(directory->kind, TargetKind::kDirectory);
  EXPECT_EQ(directory->name, "/srv/a dir");
}

class BadTargetNameTest : public testing::TestWithParam<const char*> {};

TEST_P(BadTargetNameTest, IsRefusedWithTheFormsThatThereAre) {
  const auto target = ParseTargetName(GetParam());
  EXPECT_EQ(target.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(target.status().message()), HasSubstr("a target is docker/NAME"));
}

INSTANTIATE_TEST_SUITE_P(All, BadTargetNameTest,
                         testing::Values("", "web", "docker/", "podman/", "cri/", "containerd/x", "containerd//x",
                                         "containerd/ns/", "pid/", "pid/0", "pid/-3", "pid/12x", "pid/99999999999",
                                         "dir:", "dir:relative", "pod/x", "/", "Docker/web"));

}  // namespace
}  // namespace mirrorfs
