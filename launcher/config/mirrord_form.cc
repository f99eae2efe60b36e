// The configuration of mirrord, as far as it is about files, variables and the target.
#include <algorithm>
#include <array>
#include <filesystem>

#include "fmt/format.h"
#include "launcher/config/mirrord_agent.h"
#include "launcher/config/settings_file.h"
#include "launcher/failure.h"
#include "launcher/plan/nearest.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Kind = ConfigNode::Kind;

bool IsBool(const ConfigNode& node, std::string_view which) { return node.kind == Kind::kWord && node.text == which; }

// Variable names come as a list, or in one text between semicolons.
ConfigNode NamesIn(const ConfigNode& value) {
  if (!value.IsText()) return value;
  ConfigNode list{.kind = Kind::kList, .line = value.line};
  for (size_t begin = 0, end = 0; begin < value.text.size(); begin = end + 1) {
    end = std::min(value.text.find(';', begin), value.text.size());
    if (end == begin) continue;
    list.items.push_back({.kind = Kind::kText, .line = value.line, .text = value.text.substr(begin, end - begin)});
  }
  return list;
}

class MirrordReader {
 public:
  MirrordReader(std::string_view file, ExecSettings& settings) : file_(file), settings_(settings) {}

  absl::Status Read(const ConfigNode& root);
  const std::vector<std::string>& ignored() const { return ignored_; }

 private:
  absl::Status ReadTarget(const ConfigNode& target);
  absl::Status ReadTargetPath(const ConfigNode& path);
  absl::Status ReadAgent(const ConfigNode& agent);
  absl::Status ReadFeature(const ConfigNode& feature);
  absl::Status ReadFs(const ConfigNode& fs);
  absl::Status ReadFsKey(const ConfigEntry& entry);
  absl::Status ReadEnv(const ConfigNode& env);
  absl::Status ReadEnvKey(const ConfigEntry& entry);
  void TakeAllVariables(int line) {
    if (settings_.env.include.source.starts_with(std::string(file_) + ":")) return;
    settings_.env.include = {.value = {{"*", Place(file_, line)}}, .source = Place(file_, line)};
  }
  void Ignore(std::string_view key, int line) { ignored_.push_back(fmt::format("{} (line {})", key, line)); }
  absl::Status Unknown(std::string_view section, const ConfigEntry& entry, absl::Span<const std::string> known) const {
    return Failure(ExitCode::kUsage, fmt::format("{}: there is no key {}.{}{}", Place(file_, entry.line), section,
                                                 entry.key, DidYouMean(entry.key, known)));
  }

  const std::string_view file_;
  ExecSettings& settings_;
  std::vector<std::string> ignored_;
};

absl::Status MirrordReader::Read(const ConfigNode& root) {
  if (root.kind != Kind::kMap) return ConfigError(file_, root.line, "mirrord configuration", "expected keys.");
  for (const ConfigEntry& entry : root.entries) {
    if (entry.key == "target") {
      RETURN_IF_ERROR(ReadTarget(entry.value));
    } else if (entry.key == "feature") {
      RETURN_IF_ERROR(ReadFeature(entry.value));
    } else if (entry.key == "kube_context") {
      RETURN_IF_ERROR(ApplyValue(entry.value, entry.key, file_, &settings_.cluster.context));
    } else if (entry.key == "kubeconfig") {
      RETURN_IF_ERROR(ApplyValue(entry.value, entry.key, file_, &settings_.cluster.kubeconfig));
    } else if (entry.value.kind == Kind::kMap && entry.key == "agent") {
      RETURN_IF_ERROR(ReadAgent(entry.value));
    } else if (entry.value.kind != Kind::kNothing) {
      Ignore(entry.key, entry.line);
    }
  }
  if (const ConfigNode* feature = root.Find("feature"); feature == nullptr || feature->Find("env") == nullptr) {
    TakeAllVariables(root.line);  // that is what mirrord does if nothing is said
  }
  return absl::OkStatus();
}

// "deployment/web/container/app", or {path: the same or an object, namespace: ...}.
absl::Status MirrordReader::ReadTarget(const ConfigNode& target) {
  if (target.kind != Kind::kMap) return ApplyValue(target, "target", file_, &settings_.target);
  for (const ConfigEntry& entry : target.entries) {
    if (entry.key == "path") {
      RETURN_IF_ERROR(ReadTargetPath(entry.value));
    } else if (entry.key == "namespace") {
      RETURN_IF_ERROR(ApplyValue(entry.value, "target.namespace", file_, &settings_.cluster.name_space));
    } else {
      return Unknown("target", entry, std::array<std::string, 2>{"path", "namespace"});
    }
  }
  return absl::OkStatus();
}

absl::Status MirrordReader::ReadTargetPath(const ConfigNode& path) {
  if (path.kind != Kind::kMap) return ApplyValue(path, "target.path", file_, &settings_.target);
  const ConfigNode* container = path.Find("container");
  std::string text;
  for (const ConfigEntry& entry : path.entries) {
    if (!entry.value.IsText()) return ConfigError(file_, entry.line, "target.path." + entry.key, "expected a text.");
    if (entry.key == "container") continue;
    if (!text.empty()) return ConfigError(file_, entry.line, "target.path", "expected one target and its container.");
    text = entry.key + "/" + entry.value.text;
  }
  if (text.empty()) return ConfigError(file_, path.line, "target.path", "expected a target, such as pod: NAME.");
  if (container != nullptr) text += "/container/" + container->text;
  settings_.target = {std::move(text), Place(file_, path.line)};
  return absl::OkStatus();
}

absl::Status MirrordReader::ReadAgent(const ConfigNode& agent) {
  for (const ConfigEntry& entry : agent.entries) {
    ASSIGN_OR_RETURN(const bool known, ApplyMirrordAgentKey(entry, file_, settings_.agent));
    if (!known) Ignore("agent." + entry.key, entry.line);
  }
  return absl::OkStatus();
}

absl::Status MirrordReader::ReadFeature(const ConfigNode& feature) {
  if (feature.kind != Kind::kMap) return ConfigError(file_, feature.line, "feature", "expected keys: fs, env.");
  for (const ConfigEntry& entry : feature.entries) {
    if (entry.key == "fs") {
      RETURN_IF_ERROR(ReadFs(entry.value));
    } else if (entry.key == "env") {
      RETURN_IF_ERROR(ReadEnv(entry.value));
    } else {
      Ignore("feature." + entry.key, entry.line);
    }
  }
  return absl::OkStatus();
}

// A mode, true (read), false (local), or keys.
absl::Status MirrordReader::ReadFs(const ConfigNode& fs) {
  if (IsBool(fs, "true") || IsBool(fs, "false")) {
    settings_.fs.mode = {fs.text == "true" ? FsMode::kRead : FsMode::kLocal, Place(file_, fs.line)};
    return absl::OkStatus();
  }
  if (fs.kind != Kind::kMap) return ApplyValue(fs, "feature.fs", file_, &settings_.fs.mode);
  for (const ConfigEntry& entry : fs.entries) RETURN_IF_ERROR(ReadFsKey(entry));
  return absl::OkStatus();
}

absl::Status MirrordReader::ReadFsKey(const ConfigEntry& entry) {
  FsSettings& fs = settings_.fs;
  const std::string key = "feature.fs." + entry.key;
  if (entry.key == "mode") return ApplyValue(entry.value, key, file_, &fs.mode);
  if (entry.key == "read_write") return ApplyValue(entry.value, key, file_, &fs.read_write);
  if (entry.key == "read_only") return ApplyValue(entry.value, key, file_, &fs.read_only);
  if (entry.key == "local") return ApplyValue(entry.value, key, file_, &fs.local);
  if (entry.key == "not_found") return ApplyValue(entry.value, key, file_, &fs.not_found);
  if (entry.key == "mapping") return ApplyValue(entry.value, key, file_, &fs.mapping);
  if (entry.key != "readonly_file_buffer") {
    return Unknown("feature.fs", entry,
                   std::array<std::string, 6>{"mode", "read_write", "read_only", "local", "not_found", "mapping"});
  }
  Ignore(key, entry.line);
  return absl::OkStatus();
}

// true, false, or keys, which say true, too.
absl::Status MirrordReader::ReadEnv(const ConfigNode& env) {
  if (IsBool(env, "false")) {
    settings_.env.include = {.value = {}, .source = Place(file_, env.line)};
    return absl::OkStatus();
  }
  if (env.kind == Kind::kMap) {
    for (const ConfigEntry& entry : env.entries) RETURN_IF_ERROR(ReadEnvKey(entry));
  } else if (!IsBool(env, "true")) {
    return ConfigError(file_, env.line, "feature.env", "expected true, false or keys.");
  }
  TakeAllVariables(env.line);
  return absl::OkStatus();
}

absl::Status MirrordReader::ReadEnvKey(const ConfigEntry& entry) {
  constexpr std::array kWithoutMeaning = {"load_from_process", "env_file", "mapping"};
  EnvSettings& env = settings_.env;
  const std::string key = "feature.env." + entry.key;
  if (entry.key == "include") return ApplyValue(NamesIn(entry.value), key, file_, &env.include);
  if (entry.key == "exclude") return ApplyValue(NamesIn(entry.value), key, file_, &env.exclude);
  if (entry.key == "unset") return ApplyValue(NamesIn(entry.value), key, file_, &env.unset);
  if (entry.key == "override" || entry.key == "overrides") return ApplyValue(entry.value, key, file_, &env.set);
  if (std::find(kWithoutMeaning.begin(), kWithoutMeaning.end(), entry.key) == kWithoutMeaning.end()) {
    return Unknown("feature.env", entry, std::array<std::string, 4>{"include", "exclude", "override", "unset"});
  }
  Ignore(key, entry.line);
  return absl::OkStatus();
}

}  // namespace

bool IsMirrordForm(const ConfigNode& root, std::string_view file) {
  const std::filesystem::path path(file);
  const std::string name = path.filename().string();
  if (root.Find("fs") != nullptr) return false;
  return root.Find("feature") != nullptr || name.starts_with("mirrord.") ||
         name.find(".mirrord.") != std::string::npos || std::find(path.begin(), path.end(), ".mirrord") != path.end();
}

absl::Status ApplyMirrordForm(const ConfigNode& root, std::string_view file, ExecSettings& settings,
                              std::vector<std::string>& warnings) {
  MirrordReader reader(file, settings);
  RETURN_IF_ERROR(reader.Read(root));
  if (!reader.ignored().empty()) {
    warnings.push_back(
        fmt::format("{}: these keys mean nothing here and are ignored: {}.", file, fmt::join(reader.ignored(), ", ")));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
