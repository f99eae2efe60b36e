// Every default pattern: a path that it decides, and one near by that it does not.
#include "protos/policy/default_lists.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/policy/path_policy.h"

namespace mirrorfs {
namespace {

struct Example {
  std::string_view pattern;
  std::string_view matches;
  std::string_view does_not;
};

constexpr Example kExamples[] = {
    // by name
    {R"(.\.so$)", "/srv/libx.SO", "/srv/libx.so.1"},
    {R"(.\.sh$)", "/srv/run.sh", "/srv/run.sha"},
    {R"(.\.rb$)", "/srv/a.rb", "/srv/arb"},
    {R"(.\.d$)", "/srv/conf.d", "/srv/conf.d/x"},
    {R"(.\.pyc$)", "/srv/a.pyc", "/srv/a.pyd"},
    {R"(.\.py$)", "/srv/a.py", "/srv/a.pyx"},
    {R"(.\.jar$)", "/srv/a.jar", "/srv/a.jars"},
    {R"(.\.class$)", "/srv/A.class", "/srv/class"},
    {R"(.\.js$)", "/srv/a.js", "/srv/a.json"},
    {R"(.\.pth$)", "/srv/a.pth", "/srv/a.path"},
    {R"(.\.plist$)", "/srv/a.plist", "/srv/plist"},
    {R"(venv\.cfg$)", "/srv/pyvenv.cfg", "/srv/venv.cfgs"},
    {R"(clr-.*-pipe-)", "/srv/clr-debug-pipe-12", "/srv/clr-debug"},
    {R"(\.pdb$)", "/srv/a.pdb", "/srv/a.pdbx"},
    {R"(\.dll$)", "/srv/A.DLL", "/srv/dll"},
    {R"(.*(^|/)jvm\.cfg$)", "/srv/jvm.cfg", "/srv/xjvm.cfg"},
    {R"(/package\.json$)", "/srv/package.json", "/srv/mypackage.json"},
    {R"(/\.yarnrc$)", "/srv/.yarnrc", "/srv/x.yarnrc"},
    {R"(/\.yarnrc.yml$)", "/srv/.yarnrc.yml", "/srv/.yarnrc.yaml"},
    {R"(/\.yarnrc.json$)", "/srv/.yarnrc.json", "/srv/.yarnrc.jsonc"},
    {R"(/node_modules)", "/srv/node_modules/x/y.json", "/srv/node_module"},
    {R"(.*/\.tool-versions$)", "/srv/.tool-versions", "/srv/x.tool-versions"},
    {R"(.+\.asdf/.+)", "/srv/.asdf/x", "/srv/.asdf"},
    // by place
    {R"(^/proc(/|$))", "/proc/self/maps", "/process"},
    {R"(^/sys(/|$))", "/sys/class", "/system"},
    {R"(^/lib(/|$))", "/lib/x86_64-linux-gnu/libc.so.6", "/library"},
    {R"(^/lib32(/|$))", "/lib32", "/lib322"},
    {R"(^/lib64(/|$))", "/lib64/ld-linux-x86-64.so.2", "/lib65"},
    {R"(^/etc(/|$))", "/etc/passwd", "/srv/etc/passwd"},
    {R"(^/usr(/|$))", "/USR/bin/env", "/user"},
    {R"(^/home(/|$))", "/home/other/x", "/homes"},
    {R"(^/bin(/|$))", "/bin/sh", "/binary"},
    {R"(^/sbin(/|$))", "/sbin/init", "/sbin2"},
    {R"(^/dev(/|$))", "/dev/null", "/devices"},
    {R"(^/opt(/|$))", "/opt/x", "/optional"},
    {R"(^/tmp(/|$))", "/tmp/x", "/tmpfs"},
    {R"(^/var/tmp(/|$))", "/var/tmp/x", "/var/tmpx"},
    {R"(^/var/db/timezone/zoneinfo(/|$))", "/var/db/timezone/zoneinfo/UTC", "/var/db/timezone"},
    {R"(^/snap(/|$))", "/snap/core", "/snapshot"},
    {R"(^/run(/|$))", "/run/lock", "/runtime"},
    {R"(^/selinux(/|$))", "/selinux", "/selinux2"},
    {R"(^/nix(/|$))", "/nix/store", "/nixos"},
    {R"(^/home/iojs(/|$))", "/home/iojs/x", "/srv/iojs"},
    {R"(^/home/runner(/|$))", "/home/runner/x", "/srv/runner"},
    {R"(^/Program Files)", "/Program Files (x86)/x", "/Programs"},
    {R"(^/$)", "/", "/x"},
    // computed
    {R"(^/data/t\.mp(/|$))", "/data/t.mp/x", "/data/txmp/x"},
    {R"(^/projects/my\+app(/|$))", "/projects/my+app/src/x.txt", "/projects/myyapp"},
    {R"(^/projects/real(/|$))", "/projects/real/x", "/projects/really"},
    {R"(^/srv/tool$)", "/srv/tool", "/srv/tool/x"},
    {R"(^/users/me/\.)", "/users/me/.cache/x", "/users/me/cache"},
    // the container's
    {R"(^/etc/resolv\.conf$)", "/etc/resolv.conf", "/srv/etc/resolv.conf2"},
    {R"(^/etc/hosts$)", "/etc/hosts", "/srv/hosts.allow"},
    {R"(^/etc/hostname$)", "/etc/hostname", "/srv/hostname"},
    {R"(^/etc/ssl/certs(/|$))", "/etc/ssl/certs/ca.pem", "/srv/ssl"},
    // nobody's
    {R"(^/users/me/\.config/gcloud)", "/users/me/.config/gcloud/credentials.db", "/srv/.config/gcloud"},
    {R"(^/users/me/\.kube)", "/users/me/.kube/config", "/srv/.kube"},
    {R"(^/users/me/\.azure)", "/users/me/.azure", "/srv/.azure"},
    {R"(^/users/me/\.aws)", "/users/me/.aws/credentials", "/srv/.aws"},
};

ProgramFacts Facts() {
  return {.working_directory = {"/projects/my+app", "/projects/real"},
          .home = {"/users/me"},
          .temporary_directory = {"/data/t.mp"},
          .executable = {"/srv/tool"}};
}

PathPolicy PolicyOf(std::vector<PolicyRule> rules) {
  auto policy = PathPolicy::Compile({.mode = FsMode::kRead, .rules = std::move(rules), .mappings = {}});
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *std::move(policy);
}

TEST(DefaultListsTest, EveryPatternHasAnExample) {
  std::set<std::string> patterns;
  for (const PolicyRule& rule : DefaultRules(Facts(), Credentials::kHidden)) patterns.insert(rule.pattern);
  std::set<std::string> examples;
  for (const Example& example : kExamples) examples.emplace(example.pattern);
  EXPECT_EQ(patterns, examples);
}

TEST(DefaultListsTest, EveryPatternMatchesOneExampleAndNotTheOther) {
  for (const PolicyRule& rule : DefaultRules(Facts(), Credentials::kHidden)) {
    const PathPolicy alone = PolicyOf({rule});
    for (const Example& example : kExamples) {
      if (example.pattern != rule.pattern) continue;
      EXPECT_NE(alone.Decide(example.matches).rule, nullptr) << rule.pattern << " " << example.matches;
      EXPECT_EQ(alone.Decide(example.does_not).rule, nullptr) << rule.pattern << " " << example.does_not;
    }
  }
}

TEST(DefaultListsTest, OrderIsNotFoundThenContainerThenLocal) {
  const PathPolicy policy = PolicyOf(DefaultRules(Facts(), Credentials::kHidden));
  EXPECT_EQ(policy.Decide("/users/me/.kube/config").side, PathSide::kNotFound);
  EXPECT_EQ(policy.Decide("/users/me/.bashrc").side, PathSide::kLocal);
  EXPECT_EQ(policy.Decide("/etc/hosts").side, PathSide::kContainer);
  EXPECT_EQ(policy.Decide("/etc/hosts").writes, WritesGo::kLayer);
  EXPECT_EQ(policy.Decide("/etc/passwd").side, PathSide::kLocal);
  EXPECT_EQ(policy.Decide("/var/lib/app.db").rule, nullptr);
}

TEST(DefaultListsTest, CredentialsAreShownOnRequest) {
  const PathPolicy policy = PolicyOf(DefaultRules(Facts(), Credentials::kShown));
  EXPECT_EQ(policy.Decide("/users/me/.kube/config").side, PathSide::kLocal);
}

TEST(DefaultListsTest, FactsThatAreMissingOrTheRootMakeNoRule) {
  const PathPolicy policy = PolicyOf(DefaultRules(
      {.working_directory = {"/"}, .home = {}, .temporary_directory = {"/"}, .executable = {}}, Credentials::kHidden));
  EXPECT_EQ(policy.Decide("/srv").rule, nullptr);
  EXPECT_EQ(policy.Decide("/.hidden").rule, nullptr);
  const PathPolicy rooted = PolicyOf(DefaultRules({.home = {"/"}}, Credentials::kHidden));
  EXPECT_EQ(rooted.Decide("/.aws").side, PathSide::kNotFound);
  EXPECT_EQ(rooted.Decide("/.hidden").side, PathSide::kLocal);
}

TEST(DefaultListsTest, VolumesAreTheContainersForReads) {
  const std::vector<PolicyRule> rules = VolumeRules(std::vector<std::string>{"/etc/my.conf", "/", "/data/"});
  ASSERT_EQ(rules.size(), 2u);
  const PathPolicy policy = PolicyOf(rules);
  EXPECT_EQ(policy.Decide("/etc/my.conf/x").writes, WritesGo::kLayer);
  EXPECT_EQ(policy.Decide("/data").rule->list, kVolumeList);
  EXPECT_EQ(policy.Decide("/etc/myxconf").rule, nullptr);
}

}  // namespace
}  // namespace mirrorfs
