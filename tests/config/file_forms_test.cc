// Good and bad files of every form.
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/config/load_settings.h"
#include "launcher/failure.h"
#include "tests/config/scratch.h"

namespace mirrorfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class FileFormsTest : public ::testing::Test {
 protected:
  absl::StatusOr<LoadedSettings> Load(const std::string& name, const std::string& text) {
    file_ = scratch_.Write(name, text);
    return LoadSettings({.config_file = file_}, {}, scratch_.Path());
  }

  LoadedSettings Loaded(const std::string& name, const std::string& text) {
    auto loaded = Load(name, text);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? *loaded : LoadedSettings{};
  }

  // The message without the directory of the test.
  std::string Error(const std::string& name, const std::string& text) {
    const auto loaded = Load(name, text);
    if (loaded.ok()) return "no error";
    EXPECT_EQ(ExitCodeOf(loaded.status()), ExitCode::kUsage);
    const std::string message = MessageOf(loaded.status());
    EXPECT_EQ(message.find(scratch_.Path() + "/"), 0u) << message;
    return message.substr(scratch_.Path().size() + 1);
  }

  Scratch scratch_;
  std::string file_;
};

std::vector<std::string> Texts(const SourcedList& list) {
  std::vector<std::string> texts;
  for (const ListEntry& entry : list.value) texts.push_back(entry.text);
  return texts;
}

constexpr char kOwnYaml[] = R"(# everything there is
target: docker/web
container_cwd: true
fs:
  mode: localwithoverrides
  not_found: '\.secret$'
  read_write:
    - \.log$
    - "^/var/spool/"
  read_only: [^/app/, ^/srv/]
  local: ^/app/cache/
  mapping:
    - match: ^/data/(?<rest>.*)
      replace: /srv/${rest}
    - {match: ^/old, replace: /new}
  auto_mount: false
  hide_credentials: false
env:
  include: ["DB_*", REGION]
  exclude: DB_PASSWORD
  set: {PORT: 8080, DEBUG: true}
  unset: AWS_PROFILE
agent:
  as: container
  deadline: 5
  hard: false
  runtime_socket: run/docker.sock
  tls_ca: /etc/ca.pem
  token_file: token
)";

TEST_F(FileFormsTest, OwnYaml) {
  const ExecSettings settings = Loaded("x.yaml", kOwnYaml).settings;
  EXPECT_EQ(settings.target.value, "docker/web");
  EXPECT_EQ(settings.target.source, file_ + ":2");
  EXPECT_TRUE(settings.container_cwd.value);
  EXPECT_EQ(settings.fs.mode.value, FsMode::kLocalWithOverrides);
  EXPECT_THAT(Texts(settings.fs.not_found), ElementsAre(R"(\.secret$)"));
  EXPECT_THAT(Texts(settings.fs.read_write), ElementsAre(R"(\.log$)", "^/var/spool/"));
  EXPECT_EQ(settings.fs.read_write.value[1].origin, file_ + ":9");
  EXPECT_THAT(Texts(settings.fs.read_only), ElementsAre("^/app/", "^/srv/"));
  EXPECT_THAT(Texts(settings.fs.local), ElementsAre("^/app/cache/"));
  EXPECT_THAT(settings.fs.mapping.value, ElementsAre(PathMapping{"^/data/(?<rest>.*)", "/srv/${rest}", file_ + ":13"},
                                                     PathMapping{"^/old", "/new", file_ + ":15"}));
  EXPECT_FALSE(settings.fs.auto_mount.value);
  EXPECT_FALSE(settings.fs.hide_credentials.value);
  EXPECT_THAT(Texts(settings.env.include), ElementsAre("DB_*", "REGION"));
  EXPECT_THAT(Texts(settings.env.exclude), ElementsAre("DB_PASSWORD"));
  EXPECT_THAT(settings.env.set.value, ElementsAre(Pair("PORT", "8080"), Pair("DEBUG", "true")));
  EXPECT_THAT(Texts(settings.env.unset), ElementsAre("AWS_PROFILE"));
  EXPECT_EQ(settings.agent.identity.value, "container");
  EXPECT_EQ(settings.agent.deadline.value, "5");
  EXPECT_EQ(settings.agent.runtime_socket.value, scratch_.Path("run/docker.sock"));
  EXPECT_EQ(settings.agent.tls_ca.value, "/etc/ca.pem");
  EXPECT_EQ(settings.agent.token_file.value, scratch_.Path("token"));
}

TEST_F(FileFormsTest, OwnFormInJsonAndToml) {
  const ExecSettings json =
      Loaded("x.json", "{\n\t\"fs\": {\n\t\t\"mode\": \"write\",\n\t\t\"local\": [\"\\\\.js$\"]\n\t}\n}").settings;
  EXPECT_EQ(json.fs.mode.value, FsMode::kWrite);
  EXPECT_EQ(json.fs.local.value.front().text, R"(\.js$)");
  EXPECT_EQ(json.fs.local.value.front().origin, file_ + ":4");
  const ExecSettings toml =
      Loaded("x.toml", "[fs]\nmode = 'write'\nlocal = [\n  '\\.js$',\n]\nauto_mount = false\n").settings;
  EXPECT_EQ(toml.fs.mode.value, FsMode::kWrite);
  EXPECT_EQ(toml.fs.local.value.front().text, R"(\.js$)");
  EXPECT_EQ(toml.fs.local.value.front().origin, file_ + ":4");
  EXPECT_FALSE(toml.fs.auto_mount.value);
}

TEST_F(FileFormsTest, EmptyFilesSayNothing) {
  for (const std::string text : {"", "\n", "# nothing\n", "---\n", "fs:\n", "{}"}) {
    EXPECT_EQ(Loaded("x.yaml", text).settings.fs.mode.source, "default") << text;
  }
}

struct BadFile {
  std::string name;
  std::string text;
  std::string says;
};

TEST_F(FileFormsTest, BadFilesNameLineKeyAndTheNearestKey) {
  const BadFile files[] = {
      {"x.yaml", "fs:\n  readonly: x\n", "x.yaml:2: there is no key fs.readonly; did you mean fs.read_only?"},
      {"x.yaml", "target: a\nread_only: x\n", "x.yaml:2: there is no key read_only; did you mean fs.read_only?"},
      {"x.yaml", "\ntraget: x\n", "x.yaml:2: there is no key traget; did you mean target?"},
      {"x.yaml", "agent:\n  mirrorfsd: /x\n",
       "x.yaml:2: there is no key agent.mirrorfsd; keys here are mode, as, deadline"},
      {"x.yaml", "fs: read\n", "x.yaml:1: fs: expected keys: mode"},
      {"x.yaml", "- fs\n", "x.yaml:1: expected keys: target"},
      {"x.yaml", "fs:\n  mode: raed\n", "x.yaml:2: fs.mode: there is no mode 'raed'; did you mean read?"},
      {"x.yaml", "fs:\n  mode: [read]\n", "x.yaml:2: fs.mode: expected read, write"},
      {"x.yaml", "fs:\n  local: {a: b}\n", "x.yaml:2: fs.local: expected a text or a list of texts"},
      {"x.yaml", "fs:\n  local: [[a]]\n", "x.yaml:2: fs.local: expected a text or a list of texts"},
      {"x.yaml", "fs:\n  local: ['']\n", "x.yaml:2: fs.local: expected texts that are not empty"},
      {"x.yaml", "fs:\n  auto_mount: 'false'\n", "x.yaml:2: fs.auto_mount: expected true or false"},
      {"x.yaml", "fs:\n  auto_mount: maybe\n", "x.yaml:2: fs.auto_mount: expected true or false"},
      {"x.yaml", "fs:\n  mapping:\n    - match: a\n", "x.yaml:3: fs.mapping: expected a list of {match"},
      {"x.yaml", "fs:\n  mapping: a\n", "x.yaml:2: fs.mapping: expected a list of {match"},
      {"x.yaml", "env:\n  set: [a]\n", "x.yaml:2: env.set: expected names with a text each"},
      {"x.yaml", "target: [a]\n", "x.yaml:1: target: expected a text"},
      {"x.yaml", "agent:\n  deadline: soon\n", "x.yaml:2: "},
      {"x.yaml", "fs:\n  mode: read\n  mode: write\n", "x.yaml:3: the key mode is there twice"},
      {"x.yaml", "fs:\n  local: [a\n", "x.yaml:3: this is not YAML"},
      {"x.yaml", "fs: {}\n---\nfs: {}\n", "only one YAML document"},
      {"x.yaml", "fs: {[a]: b}\n", "x.yaml:1: a key has to be a plain word"},
      {"x.json", "{\n  \"fs\": {\n    \"mode\": \"read\",\n  }\n}", "x.json:4: this is not JSON"},
      {"x.json", "{\"fs\": {'mode': 'read'}}", "x.json:1: this is not JSON"},
      {"x.json", "{\n\"fs\": {\n\"mod\": \"read\"}}", "x.json:3: there is no key fs.mod; did you mean fs.mode?"},
      {"x.toml", "[fs]\nmode = read\n", "x.toml:2: this is not TOML"},
      {"x.toml", "[fs]\nmode = 'read'\nmode = 'write'\n", "x.toml:3: this is not TOML"},
      {"x.toml", "[fs]\n\nmod = 'read'\n", "x.toml:3: there is no key fs.mod; did you mean fs.mode?"},
      {"mirrord.json", "{\"feature\": {\n\"fs\": {\"red_only\": \"x\"}}}",
       "mirrord.json:2: there is no key feature.fs.red_only; did you mean read_only?"},
      {"mirrord.json", "{\"feature\": {\"fs\": \"rw\"}}", "mirrord.json:1: feature.fs: there is no mode 'rw'"},
      {"mirrord.json", "{\"feature\": {\"env\": {\"includ\": \"x\"}}}", "feature.env.includ; did you mean include?"},
      {"mirrord.json", "{\"feature\": {\"env\": \"x\"}}", "feature.env: expected true, false or keys"},
      {"mirrord.json", "{\"feature\": []}", "feature: expected keys"},
      {"mirrord.json", "{\"target\": {\"pth\": \"x\"}}", "there is no key target.pth; did you mean path?"},
      {"mirrord.json", "{\"target\": {\"path\": {\"pod\": \"a\", \"deployment\": \"b\"}}}", "expected one target"},
      {"mirrord.json", "{\"target\": {\"path\": {\"container\": \"a\"}}}", "expected a target, such as"},
      {"mirrord.json", "[]", "expected keys"},
  };
  for (const BadFile& file : files) EXPECT_THAT(Error(file.name, file.text), HasSubstr(file.says)) << file.text;
}

TEST_F(FileFormsTest, ATreeThatAliasesMakeHugeIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) text += before + ", ";
    text += before + "]\n";
  }
  EXPECT_THAT(Error("x.yaml", text), HasSubstr("too large for a configuration"));
  EXPECT_THAT(Error("x.yaml", std::string(2000, '[')), HasSubstr("x.yaml:"));
}

constexpr char kMirrordJson[] = R"({
  "accept_invalid_certificates": false,
  "connect_tcp": null,
  "target": {"path": "docker/web", "namespace": "default"},
  "agent": {"image": "x", "ttl": 30},
  "feature": {
    "network": {"incoming": "steal"},
    "env": {
      "include": "DATABASE_USER;PUBLIC_*",
      "exclude": ["SECRET_ENV"],
      "override": {"DB": "local"},
      "unset": "AWS_PROFILE"
    },
    "fs": {
      "mode": "write",
      "read_write": ".+\\.json",
      "read_only": [".+\\.yaml", ".+important-file\\.txt"],
      "local": [".+\\.js", ".+\\.mjs"],
      "not_found": ["\\.config/gcloud"],
      "mapping": {"^/z/(?<user>\\S+)/dev": "/etc/${user}", "^/a": "/b"},
      "readonly_file_buffer": 1000
    }
  }
})";

constexpr char kMirrordToml[] = R"(accept_invalid_certificates = false
[target]
path = "docker/web"
namespace = "default"
[agent]
image = "x"
ttl = 30
[feature]
network = true
[feature.env]
include = "DATABASE_USER;PUBLIC_*"
exclude = ["SECRET_ENV"]
unset = ["AWS_PROFILE"]
override = { DB = "local" }
[feature.fs]
mode = "write"
read_write = '.+\.json'
read_only = ['.+\.yaml', '.+important-file\.txt']
local = ['.+\.js', '.+\.mjs']
not_found = ['\.config/gcloud']
readonly_file_buffer = 1000
[feature.fs.mapping]
'^/z/(?<user>\S+)/dev' = '/etc/${user}'
'^/a' = '/b'
)";

constexpr char kMirrordYaml[] = R"(accept_invalid_certificates: false
target: docker/web
agent:
  image: x
  ttl: 30
feature:
  network: {incoming: steal}
  env:
    include: DATABASE_USER;PUBLIC_*
    exclude: [SECRET_ENV]
    override: {DB: local}
    unset: AWS_PROFILE
  fs:
    mode: write
    read_write: .+\.json
    read_only: [.+\.yaml, .+important-file\.txt]
    local: [.+\.js, .+\.mjs]
    not_found: \.config/gcloud
    mapping:
      ^/z/(?<user>\S+)/dev: /etc/${user}
      ^/a: /b
    readonly_file_buffer: 1000
)";

TEST_F(FileFormsTest, MirrordInItsThreeForms) {
  const std::pair<std::string, std::string> files[] = {
      {"mirrord.json", kMirrordJson}, {"a.mirrord.toml", kMirrordToml}, {".mirrord/x.yaml", kMirrordYaml}};
  for (const auto& [name, text] : files) {
    const LoadedSettings loaded = Loaded(name, text);
    const ExecSettings& settings = loaded.settings;
    EXPECT_EQ(settings.target.value, "docker/web") << name;
    EXPECT_EQ(settings.fs.mode.value, FsMode::kWrite);
    EXPECT_THAT(Texts(settings.fs.read_write), ElementsAre(R"(.+\.json)"));
    EXPECT_THAT(Texts(settings.fs.read_only), ElementsAre(R"(.+\.yaml)", R"(.+important-file\.txt)"));
    EXPECT_THAT(Texts(settings.fs.local), ElementsAre(R"(.+\.js)", R"(.+\.mjs)"));
    EXPECT_THAT(Texts(settings.fs.not_found), ElementsAre(R"(\.config/gcloud)"));
    ASSERT_EQ(settings.fs.mapping.value.size(), 2u);
    EXPECT_EQ(settings.fs.mapping.value[0].match, R"(^/z/(?<user>\S+)/dev)");
    EXPECT_EQ(settings.fs.mapping.value[1].replace, "/b");
    EXPECT_THAT(Texts(settings.env.include), ElementsAre("DATABASE_USER", "PUBLIC_*"));
    EXPECT_THAT(Texts(settings.env.exclude), ElementsAre("SECRET_ENV"));
    EXPECT_THAT(Texts(settings.env.unset), ElementsAre("AWS_PROFILE"));
    EXPECT_THAT(settings.env.set.value, ElementsAre(Pair("DB", "local")));
    EXPECT_EQ(settings.agent.pod.at("ttl").value.at(0).text, "30s");
    EXPECT_FALSE(settings.agent.pod.contains("image"));
    ASSERT_EQ(loaded.warnings.size(), 1u);
    for (const std::string key : {"accept_invalid_certificates (line ", "agent.image (line ", "feature.network (line ",
                                  "feature.fs.readonly_file_buffer (line "}) {
      EXPECT_THAT(loaded.warnings.front(), HasSubstr(key)) << name;
    }
    EXPECT_THAT(loaded.warnings.front(), ::testing::Not(HasSubstr("connect_tcp")));
  }
}

TEST_F(FileFormsTest, MirrordsAgentAsFarAsItMeansSomething) {
  const LoadedSettings loaded = Loaded("mirrord.json", R"({"agent": {
    "namespace": "tools", "startup_timeout": 90, "image_pull_policy": "Never", "privileged": true,
    "labels": {"team": "a"}, "annotations": {"n.io/x": "y"}, "image_pull_secrets": [{"name": "key"}],
    "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "1Gi"}},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}, {"key": "k", "value": "v"}],
    "log_level": "trace"}})");
  const auto texts = [&](const char* key) { return Texts(loaded.settings.agent.pod.at(key)); };
  EXPECT_THAT(texts("namespace"), ElementsAre("tools"));
  EXPECT_THAT(texts("start_limit"), ElementsAre("90s"));
  EXPECT_THAT(texts("pull_policy"), ElementsAre("Never"));
  EXPECT_THAT(texts("privileged"), ElementsAre("true"));
  EXPECT_THAT(texts("label"), ElementsAre("team=a"));
  EXPECT_THAT(texts("annotation"), ElementsAre("n.io/x=y"));
  EXPECT_THAT(texts("pull_secret"), ElementsAre("key"));
  EXPECT_THAT(texts("request"), ElementsAre("cpu=10m"));
  EXPECT_THAT(texts("limit"), ElementsAre("memory=1Gi"));
  EXPECT_THAT(texts("toleration"), ElementsAre("gpu:NoSchedule", "k=v"));
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_THAT(loaded.warnings.front(), HasSubstr("agent.log_level (line "));
  EXPECT_THAT(Error("mirrord.json", R"({"agent": {"resources": {"cpu": 1}}})"), HasSubstr("requests, limits"));
  EXPECT_THAT(Error("mirrord.json", R"({"agent": {"ttl": [1]}})"), HasSubstr("agent.ttl: it has no value"));
}

// A byte here and there is another one: an answer comes in any case, and an error says where.
TEST_F(FileFormsTest, DamagedFilesAreReadOrRefused) {
  const std::pair<std::string, std::string> files[] = {{"x.yaml", kOwnYaml},
                                                       {"mirrord.json", kMirrordJson},
                                                       {"a.mirrord.toml", kMirrordToml},
                                                       {".mirrord/x.yaml", kMirrordYaml}};
  constexpr std::string_view kBytes = "\"'{}[]:,-#&*!|>%@`\\\n\t =x0\xff";
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto& [name, text] = files[random() % 4];
    std::string damaged = text;
    for (unsigned count = random() % 4 + 1; count > 0; --count) {
      damaged[random() % damaged.size()] = kBytes[random() % kBytes.size()];
    }
    const auto loaded = Load(name, damaged);
    if (loaded.ok()) continue;
    ++refused;
    ASSERT_THAT(MessageOf(loaded.status()), HasSubstr(name)) << damaged;
  }
  EXPECT_GT(refused, 500);
}

TEST_F(FileFormsTest, MirrordShorthands) {
  const auto fs = [&](const std::string& value) {
    return Loaded("mirrord.json", R"({"feature": {"fs": )" + value + "}}").settings.fs.mode.value;
  };
  EXPECT_EQ(fs(R"("localwithoverrides")"), FsMode::kLocalWithOverrides);
  EXPECT_EQ(fs("true"), FsMode::kRead);
  EXPECT_EQ(fs("false"), FsMode::kLocal);
  const auto target = [&](const std::string& value) {
    return Loaded("mirrord.json", R"({"target": )" + value + "}").settings.target.value;
  };
  EXPECT_EQ(target(R"("docker/web")"), "docker/web");
  EXPECT_EQ(target(R"({"path": {"deployment": "web", "container": "app"}})"), "deployment/web/container/app");
  const auto env = [&](const std::string& feature) {
    return Texts(Loaded("mirrord.json", R"({"feature": {)" + feature + "}}").settings.env.include);
  };
  EXPECT_THAT(env(""), ElementsAre("*"));
  EXPECT_THAT(env(R"("env": true)"), ElementsAre("*"));
  EXPECT_THAT(env(R"("env": false)"), IsEmpty());
  EXPECT_THAT(env(R"("env": {"exclude": "A"})"), ElementsAre("*"));
  EXPECT_THAT(env(R"("env": {"include": "A"})"), ElementsAre("A"));
}

}  // namespace
}  // namespace mirrorfs
