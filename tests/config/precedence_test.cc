// Flag, environment, -f, .mirrorfs.yaml, user file, default: for each key the first that has it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/config/load_settings.h"
#include "launcher/config/make_policy.h"
#include "launcher/config/pod_settings.h"
#include "launcher/config/setting_keys.h"
#include "launcher/failure.h"
#include "tests/config/scratch.h"

namespace mirrorfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class PrecedenceTest : public ::testing::Test {
 protected:
  absl::StatusOr<LoadedSettings> Load() { return LoadSettings(flags_, environment_, scratch_.Path("work/deep")); }

  LoadedSettings Loaded() {
    auto loaded = Load();
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? *loaded : LoadedSettings{};
  }

  std::string Error() {
    const auto loaded = Load();
    if (loaded.ok()) return "no error";
    EXPECT_EQ(ExitCodeOf(loaded.status()), ExitCode::kUsage);
    return MessageOf(loaded.status());
  }

  void WriteEverywhere() {
    user_file_ = scratch_.Write("home/.config/mirrorfs/config.yaml", "fs:\n  mode: write\n  local: user\n");
    project_file_ = scratch_.Write("work/.mirrorfs.yaml", "fs:\n  mode: local\n  local: project\n");
    named_file_ = scratch_.Write("named.yaml", "fs:\n  mode: localwithoverrides\n  local: named\n");
    environment_["HOME"] = scratch_.Path("home");
  }

  Scratch scratch_;
  ExecFlags flags_;
  Environment environment_;
  std::string user_file_, project_file_, named_file_;
};

TEST_F(PrecedenceTest, DefaultsHoldWhereNothingIsSaid) {
  const LoadedSettings loaded = Loaded();
  EXPECT_EQ(loaded.settings.fs.mode.value, FsMode::kRead);
  EXPECT_EQ(loaded.settings.fs.mode.source, "default");
  EXPECT_TRUE(loaded.settings.fs.auto_mount.value);
  EXPECT_TRUE(loaded.settings.fs.hide_credentials.value);
  EXPECT_THAT(loaded.files, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST_F(PrecedenceTest, WhatTheAgentsPodIsLikeComesFromFlagEnvironmentAndOwnFiles) {
  environment_["HOME"] = scratch_.Path("home");
  const std::string file = scratch_.Write("home/.config/mirrorfs/config.yaml",
                                          "agent:\n  image: user\n  ttl: 5s\n  label: [a=1, b=2]\n  keep_mesh: true\n");
  const auto pod = [this] { return Loaded().settings.agent.pod; };
  EXPECT_EQ(pod()["image"].value.at(0).text, "user");
  EXPECT_EQ(pod()["image"].source, file + ":2");
  EXPECT_EQ(pod()["label"].value.size(), 2u);
  environment_["MIRRORFS_AGENT_IMAGE"] = "variable";
  EXPECT_EQ(pod()["image"].value.at(0).text, "variable");
  EXPECT_EQ(pod()["image"].source, "MIRRORFS_AGENT_IMAGE");
  flags_.agent_pod["image"] = {"flagged"};
  EXPECT_EQ(pod()["image"].value.at(0).text, "flagged");
  EXPECT_EQ(pod()["image"].source, "flag --agent-image");
  const AgentPodWords words =
      PodWordsOf(Loaded().settings.agent, [](const SourcedList& list) { return !list.source.starts_with("flag "); });
  EXPECT_THAT(words, ElementsAre(Pair("keep-mesh", ElementsAre("true")), Pair("label", ElementsAre("a=1", "b=2")),
                                 Pair("ttl", ElementsAre("5s"))));
}

TEST_F(PrecedenceTest, WhatTheAgentsPodCannotBeIsToldWithItsPlace) {
  environment_["HOME"] = scratch_.Path("home");
  const std::string file = scratch_.Write("home/.config/mirrorfs/config.yaml", "agent:\n  port: many\n");
  EXPECT_THAT(Error(), HasSubstr(file + ":2: agent.port many: expected a port"));
  scratch_.Write("home/.config/mirrorfs/config.yaml", "");
  scratch_.Write("work/.mirrorfs.yaml", "agent:\n  image: anybodys\n");
  EXPECT_THAT(Error(), HasSubstr("a project's file may not say this"));
}

TEST_F(PrecedenceTest, EveryKeyOfTheAgentsPodMayStandInAFile) {
  ExecSettings settings;
  for (const SettingKey& key : SettingKeys()) (void)key.slot(settings);
  std::set<std::string> keys;
  for (const auto& [name, list] : settings.agent.pod) keys.insert(name);
  std::set<std::string> expected;
  for (const AgentPodKey& key : AgentPodKeys()) {
    std::string name(key.name);
    std::replace(name.begin(), name.end(), '-', '_');
    expected.insert(name);
  }
  EXPECT_EQ(keys, expected);
}

TEST_F(PrecedenceTest, EachPlaceHidesTheNext) {
  WriteEverywhere();
  environment_["MIRRORFS_FS_MODE"] = "read";
  environment_["MIRRORFS_FS_LOCAL"] = "first;second;";
  flags_.config_file = named_file_;
  flags_.fs_mode = "write";
  flags_.local = {"flagged"};
  const auto expect = [&](FsMode mode, const std::string& mode_source, const std::string& local,
                          const std::string& local_source) {
    const FsSettings fs = Loaded().settings.fs;
    EXPECT_EQ(fs.mode.value, mode);
    EXPECT_EQ(fs.mode.source, mode_source);
    ASSERT_FALSE(fs.local.value.empty());
    EXPECT_EQ(fs.local.value.front().text, local);
    EXPECT_EQ(fs.local.value.front().origin, local_source);
  };
  expect(FsMode::kWrite, "flag --fs-mode", "flagged", "flag --local");
  flags_.fs_mode.reset();
  flags_.local.reset();
  expect(FsMode::kRead, "MIRRORFS_FS_MODE", "first", "MIRRORFS_FS_LOCAL");
  EXPECT_EQ(Loaded().settings.fs.local.value.size(), 2u);
  environment_["MIRRORFS_FS_MODE"] = "";
  environment_.erase("MIRRORFS_FS_LOCAL");
  expect(FsMode::kLocalWithOverrides, named_file_ + ":2", "named", named_file_ + ":3");
  EXPECT_THAT(Loaded().files, ElementsAre(named_file_, project_file_, user_file_));
  flags_.config_file.reset();
  expect(FsMode::kLocal, project_file_ + ":2", "project", project_file_ + ":3");
  std::filesystem::remove(project_file_);
  expect(FsMode::kWrite, user_file_ + ":2", "user", user_file_ + ":3");
}

TEST_F(PrecedenceTest, AKeyThatAPlaceDoesNotHaveComesFromTheNext) {
  WriteEverywhere();
  scratch_.Write("work/.mirrorfs.yaml", "target: docker/web\nfs:\n  mode:\n");
  const ExecSettings settings = Loaded().settings;
  EXPECT_EQ(settings.target.value, "docker/web");
  EXPECT_EQ(settings.fs.mode.value, FsMode::kWrite);
  EXPECT_EQ(settings.fs.local.value.front().text, "user");
}

TEST_F(PrecedenceTest, XdgConfigHomeComesBeforeHome) {
  WriteEverywhere();
  std::filesystem::remove(project_file_);
  scratch_.Write("xdg/mirrorfs/config.yaml", "fs: {mode: localwithoverrides}\n");
  environment_["XDG_CONFIG_HOME"] = scratch_.Path("xdg");
  EXPECT_EQ(Loaded().settings.fs.mode.value, FsMode::kLocalWithOverrides);
  environment_["XDG_CONFIG_HOME"] = "not/absolute";
  EXPECT_EQ(Loaded().settings.fs.mode.value, FsMode::kWrite);
}

TEST_F(PrecedenceTest, TheNearestProjectFileIsTheOne) {
  scratch_.Write(".mirrorfs.yaml", "fs: {mode: write}\n");
  EXPECT_EQ(Loaded().settings.fs.mode.value, FsMode::kWrite);
  scratch_.Write("work/deep/.mirrorfs.yaml", "fs: {mode: local}\n");
  EXPECT_EQ(Loaded().settings.fs.mode.value, FsMode::kLocal);
}

TEST_F(PrecedenceTest, AFileOfSomebodyElseCountsOnlyIfItIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  const std::string file = scratch_.Write("work/.mirrorfs.yaml", "fs: {mode: write}\n");
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  const LoadedSettings found = Loaded();
  EXPECT_EQ(found.settings.fs.mode.value, FsMode::kRead);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("belongs to another user")));
  flags_.config_file = file;
  EXPECT_EQ(Loaded().settings.fs.mode.value, FsMode::kWrite);
}

TEST_F(PrecedenceTest, AProjectsFileNamesNoSocketsKeysAndTokens) {
  for (const std::string key : {"runtime_socket", "tls_ca", "tls_cert", "tls_key", "token_file"}) {
    const std::string text = fmt::format("agent:\n  {}: x\n", key);
    const std::string file = scratch_.Write("work/.mirrorfs.yaml", text);
    EXPECT_THAT(Error(), HasSubstr(file + ":2: agent." + key + ": a project's file may not say this"));
    flags_.config_file = file;
    EXPECT_EQ(Error(), "no error");
    flags_.config_file.reset();
    std::filesystem::remove(file);
    flags_.config_file = scratch_.Write("own.yaml", text);
    EXPECT_EQ(Error(), "no error");
    flags_.config_file.reset();
  }
}

TEST_F(PrecedenceTest, APipeMayBeNamedButNotFound) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_GT(::write(ends[1], "fs: {mode: write}", 17), 0);
  ::close(ends[1]);
  flags_.config_file = "/proc/self/fd/" + std::to_string(ends[0]);
  EXPECT_EQ(Loaded().settings.fs.mode.value, FsMode::kWrite);
  ::close(ends[0]);
  flags_.config_file.reset();
  std::filesystem::create_directories(scratch_.Path("work"));
  ASSERT_EQ(::mkfifo(scratch_.Path("work/.mirrorfs.yaml").c_str(), 0600), 0);
  EXPECT_THAT(MessageOf(Load().status()), HasSubstr("it is not a regular file"));
}

TEST_F(PrecedenceTest, EveryFlagArrives) {
  flags_ = {.target = "docker/web",
            .not_found = {{"a"}},
            .read_write = {{"b"}},
            .read_only = {{"c", "d"}},
            .mapping = {{"^/x=/y=z"}},
            .no_auto_mount = true,
            .show_credentials = true,
            .env = {{"*"}},
            .env_exclude = {{"E"}},
            .container_cwd = true,
            .identity = "container",
            .deadline = "5s",
            .runtime_socket = "/s",
            .tls_ca = "/ca",
            .tls_certificate = "/cert",
            .tls_key = "/key",
            .token_file = "/token",
            .agent_path = "/agent",
            .daemon_path = "/daemon"};
  const ExecSettings settings = Loaded().settings;
  EXPECT_EQ(settings.target.value, "docker/web");
  EXPECT_EQ(settings.fs.not_found.value.front().text, "a");
  EXPECT_EQ(settings.fs.read_write.value.front().text, "b");
  EXPECT_EQ(settings.fs.read_only.value.size(), 2u);
  EXPECT_THAT(settings.fs.mapping.value, ElementsAre(PathMapping{"^/x", "/y=z", "flag --mapping"}));
  EXPECT_FALSE(settings.fs.auto_mount.value);
  EXPECT_FALSE(settings.fs.hide_credentials.value);
  EXPECT_EQ(settings.env.include.value.front().text, "*");
  EXPECT_EQ(settings.env.exclude.value.front().text, "E");
  EXPECT_TRUE(settings.container_cwd.value);
  EXPECT_EQ(settings.agent.identity.value, "container");
  EXPECT_EQ(settings.agent.deadline.value, "5s");
  EXPECT_FALSE(settings.agent.hard.value);
  EXPECT_EQ(settings.agent.runtime_socket.value, "/s");
  EXPECT_EQ(settings.agent.tls_ca.value, "/ca");
  EXPECT_EQ(settings.agent.tls_certificate.value, "/cert");
  EXPECT_EQ(settings.agent.tls_key.value, "/key");
  EXPECT_EQ(settings.agent.token_file.value, "/token");
  EXPECT_EQ(settings.agent.agent_path.value, "/agent");
  EXPECT_EQ(settings.agent.daemon_path.value, "/daemon");
}

TEST_F(PrecedenceTest, HardAndADeadlineDoNotGoTogether) {
  flags_ = {.hard = true};
  EXPECT_TRUE(Loaded().settings.agent.hard.value);
  scratch_.Write("work/.mirrorfs.yaml", "agent:\n  deadline: 5s\n");
  EXPECT_THAT(Error(), HasSubstr("flag --hard: hard waits for ever: it cannot go with deadline ("));
  EXPECT_THAT(Error(), HasSubstr(".mirrorfs.yaml:2)."));
}

TEST_F(PrecedenceTest, BadValuesSayWhereTheyStand) {
  flags_.fs_mode = "wirte";
  EXPECT_THAT(Error(), HasSubstr("--fs-mode: there is no mode 'wirte'; did you mean write?"));
  flags_ = {.mapping = {{"/a"}}};
  EXPECT_THAT(Error(), HasSubstr("--mapping /a: write MATCH=REPLACE"));
  flags_ = {.local = {{""}}};
  EXPECT_THAT(Error(), HasSubstr("--local: an empty text"));
  flags_ = {.deadline = "soon"};
  EXPECT_THAT(Error(), HasSubstr("flag --deadline"));
  flags_ = {.deadline = "1ms"};
  EXPECT_THAT(Error(), HasSubstr("flag --deadline: deadline 1ms: at least 100ms"));
  flags_ = {.identity = "bogus"};
  EXPECT_THAT(Error(), HasSubstr("flag --as: as bogus: write container, caller, UID or UID:GID"));
  flags_ = {};
  environment_ = {{"MIRRORFS_FS_READONLY", "x"}};
  EXPECT_THAT(Error(), HasSubstr("did you mean MIRRORFS_FS_READ_ONLY?"));
  environment_ = {{"MIRRORFS_FS_MODE", "x"}};
  EXPECT_THAT(Error(), HasSubstr("MIRRORFS_FS_MODE: there is no mode 'x'"));
  environment_ = {{"MIRRORFS_FSX", "not ours"}, {"MIRRORFS_OTHER", "neither"}};
  EXPECT_EQ(Error(), "no error");
}

TEST_F(PrecedenceTest, AFileThatCannotBeReadIsAnError) {
  flags_.config_file = "missing.yaml";
  const auto missing = Load();
  EXPECT_EQ(ExitCodeOf(missing.status()), ExitCode::kFailed);
  EXPECT_THAT(MessageOf(missing.status()),
              HasSubstr(scratch_.Path("work/deep/missing.yaml") + " cannot be read: No such"));
  flags_.config_file = scratch_.Path();
  EXPECT_THAT(MessageOf(Load().status()), HasSubstr("it is a directory"));
  flags_.config_file = scratch_.Write("large.yaml", std::string(2 << 20, '#'));
  EXPECT_THAT(MessageOf(Load().status()), HasSubstr("larger than 1 MiB"));
}

TEST_F(PrecedenceTest, ListsInModeLocalAreWarnedAbout) {
  flags_.fs_mode = "local";
  flags_.read_only = {"^/x"};
  EXPECT_THAT(Loaded().warnings, ElementsAre(HasSubstr("in mode local (flag --fs-mode) no list applies")));
}

TEST_F(PrecedenceTest, ThePolicyHasTheListsInTheirOrder) {
  flags_ = {.not_found = {{"^/n/"}},
            .read_write = {{"^/w/"}},
            .read_only = {{"^/r/"}},
            .local = {{"^/l/"}},
            .mapping = {{"^/m/=/r/"}}};
  const PolicySpec spec = MakePolicy(Loaded().settings, {.home = {"/home/me"}}, std::vector<std::string>{"/vol"});
  std::vector<std::string> lists;
  for (const PolicyRule& rule : spec.rules) {
    if (lists.empty() || lists.back() != rule.list) lists.push_back(rule.list);
  }
  EXPECT_THAT(lists, ElementsAre("not_found", "read_write", "read_only", "local", "volume", "default not_found",
                                 "default read_only", "default local"));
  EXPECT_EQ(spec.rules.front().origin, "flag --not-found");
  EXPECT_EQ(spec.mappings.size(), 1u);
  flags_.no_auto_mount = true;
  flags_.show_credentials = true;
  for (const PolicyRule& rule :
       MakePolicy(Loaded().settings, {.home = {"/home/me"}}, std::vector<std::string>{"/vol"}).rules) {
    EXPECT_NE(rule.list, kVolumeList);
    EXPECT_NE(rule.list, kDefaultNotFoundList);
  }
  EXPECT_TRUE(CompilePolicy(spec).ok());
  EXPECT_EQ(ExitCodeOf(CompilePolicy({.rules = {{"local", "(", "x"}}, .mappings = {}}).status()), ExitCode::kUsage);
}

}  // namespace
}  // namespace mirrorfs
