#include "launcher/plan/target_spec.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using ::testing::HasSubstr;

struct ValidTarget {
  const char* text;
  TargetKind kind;
  const char* shown;
  const char* endpoint;
};

class ValidTargets : public ::testing::TestWithParam<ValidTarget> {};

TEST_P(ValidTargets, AreUnderstood) {
  const auto target = ParseTarget(GetParam().text, "/home/me");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->kind, GetParam().kind);
  EXPECT_EQ(target->text, GetParam().shown);
  EXPECT_EQ(target->endpoint, GetParam().endpoint);
  EXPECT_EQ(target->NeedsAgent(), target->endpoint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidTargets,
    ::testing::Values(ValidTarget{"docker/web", TargetKind::kDocker, "docker/web", ""},
                      ValidTarget{"docker/4f2a91c03d11", TargetKind::kDocker, "docker/4f2a91c03d11", ""},
                      ValidTarget{"podman/my_db-1.x", TargetKind::kPodman, "podman/my_db-1.x", ""},
                      ValidTarget{"containerd/k8s.io/abc", TargetKind::kContainerd, "containerd/k8s.io/abc", ""},
                      ValidTarget{"cri/abc", TargetKind::kCri, "cri/abc", ""},
                      ValidTarget{"pid/4711", TargetKind::kPid, "pid/4711", ""},
                      ValidTarget{"dir:/srv", TargetKind::kDirectory, "dir:/srv", ""},
                      ValidTarget{"dir:data/../x/", TargetKind::kDirectory, "dir:/home/me/x", ""},
                      ValidTarget{"dir:/", TargetKind::kDirectory, "dir:/", ""},
                      ValidTarget{"unix:run/a.sock", TargetKind::kUnixSocket, "unix:/home/me/run/a.sock",
                                  "unix:/home/me/run/a.sock"},
                      ValidTarget{"grpc://host:7000", TargetKind::kGrpc, "grpc://host:7000", "host:7000"},
                      ValidTarget{"grpc://[::1]:7000/", TargetKind::kGrpc, "grpc://[::1]:7000/", "[::1]:7000"}));

struct WrongTarget {
  const char* text;
  const char* message;
};

class WrongTargets : public ::testing::TestWithParam<WrongTarget> {};

TEST_P(WrongTargets, AreExplained) {
  const auto target = ParseTarget(GetParam().text, "/");
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(ExitCodeOf(target.status()), ExitCode::kUsage);
  EXPECT_THAT(MessageOf(target.status()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongTargets,
    ::testing::Values(
        WrongTarget{"", "empty"}, WrongTarget{"web", "did you mean docker/web?"},
        WrongTarget{"/srv", "did you mean dir:/srv?"}, WrongTarget{"dokcer/web", "did you mean docker?"},
        WrongTarget{"pod/web", "not available yet in this version"},
        WrongTarget{"deployment/web/container/app", "not available yet in this version"},
        WrongTarget{"docker/", "not a container's name"}, WrongTarget{"docker/a/b", "not a container's name"},
        WrongTarget{"docker/--all", "not a container's name"}, WrongTarget{"docker/..", "not a container's name"},
        WrongTarget{"containerd/abc", "namespace is missing"}, WrongTarget{"pid/0", "not a process id"},
        WrongTarget{"pid/12x", "not a process id"}, WrongTarget{"pid/99999999999", "not a process id"},
        WrongTarget{"dir:", "path is missing"}, WrongTarget{"unix:", "path is missing"},
        WrongTarget{"grpc://host", "host:port"}, WrongTarget{"grpc://host:0", "not a port"},
        WrongTarget{"grpc://host:65536", "not a port"}, WrongTarget{"docker/a\nb", "control characters"}));

TEST(LooksLikeTarget, TellsTargetsFromCommands) {
  EXPECT_TRUE(LooksLikeTarget("docker/web"));
  EXPECT_TRUE(LooksLikeTarget("dir:x"));
  EXPECT_FALSE(LooksLikeTarget("mount"));
}

}  // namespace
}  // namespace mirrorfs
