#include "launcher/commands/settings_report.h"

#include <utility>
#include <variant>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/table.h"
#include "launcher/config/setting_keys.h"
#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

using Json = nlohmann::ordered_json;

struct Line {
  std::string value;
  std::string source;
};

// A value as lines for people.
struct Lines {
  std::vector<Line> operator()(const Sourced<std::string>* setting) const {
    return {{setting->value, setting->source}};
  }
  std::vector<Line> operator()(const Sourced<bool>* setting) const {
    return {{setting->value ? "true" : "false", setting->source}};
  }
  std::vector<Line> operator()(const Sourced<FsMode>* setting) const {
    return {{std::string(NameOf(setting->value)), setting->source}};
  }
  std::vector<Line> operator()(const SourcedList* setting) const {
    std::vector<Line> lines;
    for (const ListEntry& entry : setting->value) lines.push_back({entry.text, entry.origin});
    return lines;
  }
  std::vector<Line> operator()(const Sourced<std::vector<PathMapping>>* setting) const {
    std::vector<Line> lines;
    for (const PathMapping& mapping : setting->value) {
      lines.push_back({fmt::format("{} -> {}", mapping.match, mapping.replace), mapping.origin});
    }
    return lines;
  }
  std::vector<Line> operator()(const SourcedTexts* setting) const {
    std::vector<Line> lines;
    for (const auto& [name, text] : setting->value)
      lines.push_back({fmt::format("{}={}", name, text), setting->source});
    return lines;
  }
};

// The same for programs. Bytes that are no UTF-8 cannot stand in JSON as they are.
struct Value {
  Json operator()(const Sourced<std::string>* setting) const { return PatternText(setting->value); }
  Json operator()(const Sourced<bool>* setting) const { return setting->value; }
  Json operator()(const Sourced<FsMode>* setting) const { return NameOf(setting->value); }
  Json operator()(const SourcedList* setting) const {
    Json list = Json::array();
    for (const ListEntry& entry : setting->value) {
      list.push_back({{"value", PatternText(entry.text)}, {"source", PatternText(entry.origin)}});
    }
    return list;
  }
  Json operator()(const Sourced<std::vector<PathMapping>>* setting) const {
    Json list = Json::array();
    for (const PathMapping& mapping : setting->value) {
      list.push_back({{"match", PatternText(mapping.match)},
                      {"replace", PatternText(mapping.replace)},
                      {"source", PatternText(mapping.origin)}});
    }
    return list;
  }
  Json operator()(const SourcedTexts* setting) const {
    Json texts = Json::object();
    for (const auto& [name, text] : setting->value) texts[PatternText(name)] = PatternText(text);
    return texts;
  }
};

}  // namespace

std::string SettingsTable(LoadedSettings loaded) {
  std::vector<std::vector<std::string>> rows = {{"KEY", "VALUE", "SOURCE"}};
  for (const SettingKey& key : SettingKeys()) {
    const SettingSlot slot = key.slot(loaded.settings);
    std::string name = key.FullName();
    std::vector<Line> lines = std::visit(Lines{}, slot);
    if (lines.empty()) lines.push_back({"", SourceOf(slot)});
    for (const Line& line : lines)
      rows.push_back({std::exchange(name, ""), line.value.empty() ? "-" : line.value, line.source});
  }
  return FormatTable(rows);
}

Json SettingsJson(LoadedSettings loaded) {
  Json settings = Json::object();
  for (const SettingKey& key : SettingKeys()) {
    const SettingSlot slot = key.slot(loaded.settings);
    settings[key.FullName()] = {{"value", std::visit(Value{}, slot)}, {"source", PatternText(SourceOf(slot))}};
  }
  Json files = Json::array();
  for (const std::string& file : loaded.files) files.push_back(PatternText(file));
  return {{"files", std::move(files)}, {"settings", std::move(settings)}};
}

}  // namespace mirrorfs
