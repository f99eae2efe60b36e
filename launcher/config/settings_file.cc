#include "launcher/config/settings_file.h"

#include <algorithm>
#include <filesystem>

#include "fmt/format.h"
#include "launcher/config/flag_settings.h"
#include "launcher/failure.h"
#include "launcher/plan/nearest.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Kind = ConfigNode::Kind;

std::vector<std::string> KeysOf(std::string_view section) {
  std::vector<std::string> keys;
  for (const SettingKey& key : SettingKeys()) {
    if (key.place == KeyPlace::kFlagsOnly) continue;
    if (key.section == section) {
      keys.emplace_back(key.name);
    } else if (section.empty() && std::find(keys.begin(), keys.end(), key.section) == keys.end()) {
      keys.emplace_back(key.section);
    }
  }
  return keys;
}

// The nearest key of the same section, or else one of another section that has this very name: read_only for
// fs.read_only.
std::string Suggestion(std::string_view section, const std::string& name) {
  for (const SettingKey& key : SettingKeys()) {
    if (key.name == name && key.place != KeyPlace::kFlagsOnly) return fmt::format("; did you mean {}?", key.FullName());
  }
  if (const auto near = Nearest(name, KeysOf(section))) {
    return fmt::format("; did you mean {}{}{}?", section, section.empty() ? "" : ".", *near);
  }
  return fmt::format("; keys here are {}.", fmt::join(KeysOf(section), ", "));
}

absl::Status UnknownKey(std::string_view file, const ConfigEntry& entry, std::string_view section) {
  const std::string full = section.empty() ? entry.key : std::string(section) + "." + entry.key;
  return Failure(ExitCode::kUsage, fmt::format("{}: there is no key {}{}", Place(file, entry.line), full,
                                               Suggestion(section, entry.key)));
}

std::string FromFile(std::string_view file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path).string();
}

const SettingKey* FindKey(std::string_view section, std::string_view name) {
  for (const SettingKey& key : SettingKeys()) {
    if (key.section == section && key.name == name && key.place != KeyPlace::kFlagsOnly) return &key;
  }
  return nullptr;
}

class OwnFormReader {
 public:
  OwnFormReader(std::string_view file, FileKind kind, ExecSettings& settings)
      : file_(file), kind_(kind), settings_(settings) {}

  absl::Status ReadSection(const ConfigNode& map, std::string_view section);
  absl::Status ReadKey(const ConfigEntry& entry, std::string_view section);

 private:
  const std::string_view file_;
  const FileKind kind_;
  ExecSettings& settings_;
};

absl::Status OwnFormReader::ReadSection(const ConfigNode& map, std::string_view section) {
  if (map.kind == Kind::kNothing) return absl::OkStatus();
  if (map.kind != Kind::kMap) {
    return ConfigError(file_, map.line, section, fmt::format("expected keys: {}.", fmt::join(KeysOf(section), ", ")));
  }
  for (const ConfigEntry& entry : map.entries) RETURN_IF_ERROR(ReadKey(entry, section));
  return absl::OkStatus();
}

absl::Status OwnFormReader::ReadKey(const ConfigEntry& entry, std::string_view section) {
  const SettingKey* key = FindKey(section, entry.key);
  if (key == nullptr) return UnknownKey(file_, entry, section);
  if (key->place == KeyPlace::kOwnFiles && kind_ == FileKind::kProject) {
    return ConfigError(file_, entry.line, key->FullName(),
                       "a project's file may not say this, since it may have come from somebody else. Write it into "
                       "~/.config/mirrorfs/config.yaml, or name this file with -f.");
  }
  ConfigNode value = entry.value;
  if (key->meaning == KeyMeaning::kPath && value.IsText() && !value.text.empty())
    value.text = FromFile(file_, value.text);
  return ApplyValue(value, key->FullName(), file_, key->slot(settings_));
}

// One setter for each kind of value.
class ValueReader {
 public:
  ValueReader(const ConfigNode& value, std::string_view key, std::string_view file)
      : value_(value), key_(key), file_(file) {}

  absl::Status operator()(Sourced<std::string>* setting) const {
    if (!value_.IsText()) return Expected("a text");
    *setting = {value_.text, Here(value_)};
    return absl::OkStatus();
  }

  absl::Status operator()(Sourced<bool>* setting) const {
    if (value_.kind != Kind::kWord || (value_.text != "true" && value_.text != "false"))
      return Expected("true or false");
    *setting = {value_.text == "true", Here(value_)};
    return absl::OkStatus();
  }

  absl::Status operator()(Sourced<FsMode>* setting) const {
    if (!value_.IsText()) return Expected("read, write, localwithoverrides or local");
    ASSIGN_OR_RETURN(const FsMode mode, ParseMode(value_.text, fmt::format("{}: {}", Here(value_), key_)));
    *setting = {mode, Here(value_)};
    return absl::OkStatus();
  }

  absl::Status operator()(SourcedList* setting) const {
    SourcedList list{.value = {}, .source = Here(value_)};
    const std::vector<ConfigNode> single = {value_};
    for (const ConfigNode& item : value_.kind == Kind::kList ? value_.items : single) {
      if (!item.IsText()) return Expected("a text or a list of texts");
      if (item.text.empty()) return Expected("texts that are not empty: an empty one is found in everything");
      list.value.push_back({item.text, Here(item)});
    }
    *setting = std::move(list);
    return absl::OkStatus();
  }

  absl::Status operator()(Sourced<std::vector<PathMapping>>* setting) const;
  absl::Status operator()(SourcedTexts* setting) const;

 private:
  std::string Here(const ConfigNode& node) const { return Place(file_, node.line); }
  absl::Status Expected(std::string_view what) const {
    return ConfigError(file_, value_.line, key_, fmt::format("expected {}.", what));
  }
  absl::StatusOr<PathMapping> MappingOf(const ConfigNode& item) const;

  const ConfigNode& value_;
  const std::string_view key_;
  const std::string_view file_;
};

absl::StatusOr<PathMapping> ValueReader::MappingOf(const ConfigNode& item) const {
  const ConfigNode* match = item.Find("match");
  const ConfigNode* replace = item.Find("replace");
  const bool complete = match != nullptr && match->IsText() && replace != nullptr && replace->IsText();
  if (!complete || item.entries.size() != 2) {
    return ConfigError(file_, item.line, key_, "expected a list of {match: PATTERN, replace: PATH}.");
  }
  return PathMapping{match->text, replace->text, Here(item)};
}

// A list of {match, replace}, or a map from one to the other, as mirrord has it.
absl::Status ValueReader::operator()(Sourced<std::vector<PathMapping>>* setting) const {
  Sourced<std::vector<PathMapping>> mappings{.value = {}, .source = Here(value_)};
  if (value_.kind == Kind::kMap) {
    for (const ConfigEntry& entry : value_.entries) {
      if (!entry.value.IsText()) return Expected("a path for each pattern");
      mappings.value.push_back({entry.key, entry.value.text, Place(file_, entry.line)});
    }
  } else if (value_.kind == Kind::kList) {
    for (const ConfigNode& item : value_.items) {
      ASSIGN_OR_RETURN(PathMapping mapping, MappingOf(item));
      mappings.value.push_back(std::move(mapping));
    }
  } else {
    return Expected("a list of {match: PATTERN, replace: PATH}");
  }
  *setting = std::move(mappings);
  return absl::OkStatus();
}

absl::Status ValueReader::operator()(SourcedTexts* setting) const {
  if (value_.kind != Kind::kMap) return Expected("names with a text each");
  SourcedTexts texts{.value = {}, .source = Here(value_)};
  for (const ConfigEntry& entry : value_.entries) {
    if (!entry.value.IsText()) return Expected("a text for each name");
    texts.value.emplace_back(entry.key, entry.value.text);
  }
  *setting = std::move(texts);
  return absl::OkStatus();
}

}  // namespace

std::string Place(std::string_view file, int line) { return fmt::format("{}:{}", file, line); }

absl::Status ConfigError(std::string_view file, int line, std::string_view key, std::string_view what) {
  return Failure(ExitCode::kUsage, fmt::format("{}: {}: {}", Place(file, line), key, what));
}

absl::Status ApplyValue(const ConfigNode& value, std::string_view key, std::string_view file, SettingSlot slot) {
  if (value.kind == Kind::kNothing) return absl::OkStatus();  // a key without a value says nothing
  return std::visit(ValueReader(value, key, file), slot);
}

absl::Status ApplyOwnForm(const ConfigNode& root, std::string_view file, FileKind kind, ExecSettings& settings) {
  if (root.kind == Kind::kNothing) return absl::OkStatus();
  if (root.kind != Kind::kMap) {
    return Failure(ExitCode::kUsage,
                   fmt::format("{}: expected keys: {}.", Place(file, root.line), fmt::join(KeysOf(""), ", ")));
  }
  OwnFormReader reader(file, kind, settings);
  for (const ConfigEntry& entry : root.entries) {
    const bool section = entry.key == "fs" || entry.key == "env" || entry.key == "agent" || entry.key == "cluster";
    RETURN_IF_ERROR(section ? reader.ReadSection(entry.value, entry.key) : reader.ReadKey(entry, ""));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
