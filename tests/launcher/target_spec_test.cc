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
    ::testing::Values(
        ValidTarget{"docker/web", TargetKind::kDocker, "docker/web", ""},
        ValidTarget{"docker/4f2a91c03d11", TargetKind::kDocker, "docker/4f2a91c03d11", ""},
        ValidTarget{"podman/my_db-1.x", TargetKind::kPodman, "podman/my_db-1.x", ""},
        ValidTarget{"containerd/k8s.io/abc", TargetKind::kContainerd, "containerd/k8s.io/abc", ""},
        ValidTarget{"pod/web-0", TargetKind::kCluster, "pod/web-0", ""},
        ValidTarget{"po/web-0 -c app", TargetKind::kCluster, "pod/web-0/container/app", ""},
        ValidTarget{"deploy/web/container/app", TargetKind::kCluster, "deployment/web/container/app", ""},
        ValidTarget{"sts/db -n shop --context prod", TargetKind::kCluster, "statefulset/db -n shop --context prod", ""},
        ValidTarget{"pods -l 'app in (a, b)' -c app", TargetKind::kCluster, "pod -l 'app in (a, b)' -c app", ""},
        ValidTarget{"svc/web --kubeconfig k/c", TargetKind::kCluster, "service/web --kubeconfig /home/me/k/c", ""},
        ValidTarget{"ro/web --kube-as jane --kube-as-group a --kube-as-group b", TargetKind::kCluster,
                    "rollout/web --kube-as jane --kube-as-group a --kube-as-group b", ""},
        ValidTarget{"no/n-1", TargetKind::kCluster, "node/n-1", ""},
        ValidTarget{"cri/abc", TargetKind::kCri, "cri/abc", ""},
        ValidTarget{"pid/4711", TargetKind::kPid, "pid/4711", ""},
        ValidTarget{"dir:/srv", TargetKind::kDirectory, "dir:/srv", ""},
        ValidTarget{"dir:data/../x/", TargetKind::kDirectory, "dir:/home/me/x", ""},
        ValidTarget{"dir:/", TargetKind::kDirectory, "dir:/", ""},
        ValidTarget{"unix:run/a.sock", TargetKind::kUnixSocket, "unix:/home/me/run/a.sock", "unix:/home/me/run/a.sock"},
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
        WrongTarget{"pod/", "'' is not the name of a pod"}, WrongTarget{"deploymnet/web", "did you mean deployment?"},
        WrongTarget{"pod/web/app", "a container is named by /container/NAME"},
        WrongTarget{"pod/web/container/", "not the name of a container"}, WrongTarget{"pod -n shop", "name is missing"},
        WrongTarget{"pod/web -l app=x", "both given"}, WrongTarget{"deployment -l app=x", "chooses among pods"},
        WrongTarget{"pod/web -x y", "'-x' is not expected"}, WrongTarget{"pod/web -n", "value is missing"},
        WrongTarget{"pod/web -n 'shop", "quote is not closed"}, WrongTarget{"node/n -c app", "no containers"},
        WrongTarget{"pod/a/container/b -c c", "two containers"}, WrongTarget{"docker/", "not a container's name"},
        WrongTarget{"docker/a/b", "not a container's name"}, WrongTarget{"docker/--all", "not a container's name"},
        WrongTarget{"docker/..", "not a container's name"}, WrongTarget{"containerd/abc", "namespace is missing"},
        WrongTarget{"pid/0", "not a process id"}, WrongTarget{"pid/12x", "not a process id"},
        WrongTarget{"pid/99999999999", "not a process id"}, WrongTarget{"dir:", "path is missing"},
        WrongTarget{"unix:", "path is missing"}, WrongTarget{"grpc://host", "host:port"},
        WrongTarget{"grpc://host:0", "not a port"}, WrongTarget{"grpc://host:65536", "not a port"},
        WrongTarget{"docker/a\nb", "control characters"}));

TEST(ClusterTarget, ComesBackFromItsText) {
  const ClusterTarget target{
      .workload = {.kind = "pod", .name = "", .selector = "app in (a, b)", .container = "app"},
      .access = {.kubeconfig = "/a b/config", .context = "c d", .name_space = "n", .impersonate_groups = {"g"}}};
  const auto parsed = ParseTarget(ClusterTargetText(target), "/");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->cluster, target);
}

TEST(LooksLikeTarget, TellsTargetsFromCommands) {
  EXPECT_TRUE(LooksLikeTarget("docker/web"));
  EXPECT_TRUE(LooksLikeTarget("dir:x"));
  EXPECT_FALSE(LooksLikeTarget("mount"));
}

}  // namespace
}  // namespace mirrorfs
