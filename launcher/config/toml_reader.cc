#include "launcher/config/toml_reader.h"

#include <sstream>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "toml++/toml.h"

namespace mirrorfs {
namespace {

using Kind = ConfigNode::Kind;

int LineOf(const toml::source_region& source) { return static_cast<int>(source.begin.line); }

// Numbers, dates and truth values, as they are written.
std::string WordOf(const toml::node& toml) {
  std::ostringstream out;
  toml.visit([&](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) out << value;
  });
  return out.str();
}

ConfigNode FromToml(const toml::node& toml);

ConfigNode FromTable(const toml::table& table) {
  ConfigNode node{.kind = Kind::kMap};
  for (const auto& [key, value] : table) {
    node.entries.push_back({.key = std::string(key.str()), .line = LineOf(key.source()), .value = FromToml(value)});
  }
  // The library sorts by name; the order of mappings matters.
  std::stable_sort(node.entries.begin(), node.entries.end(),
                   [](const ConfigEntry& a, const ConfigEntry& b) { return a.line < b.line; });
  return node;
}

ConfigNode FromToml(const toml::node& toml) {
  ConfigNode node;
  if (const toml::table* table = toml.as_table()) {
    node = FromTable(*table);
  } else if (const toml::array* array = toml.as_array()) {
    node.kind = Kind::kList;
    for (const toml::node& item : *array) node.items.push_back(FromToml(item));
  } else if (const auto* text = toml.as_string()) {
    node.kind = Kind::kText;
    node.text = text->get();
  } else {
    node.kind = Kind::kWord;
    node.text = WordOf(toml);
  }
  node.line = LineOf(toml.source());
  return node;
}

}  // namespace

absl::StatusOr<ConfigNode> ParseToml(const std::string& text, std::string_view file) {
  try {
    return FromToml(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    return Failure(ExitCode::kUsage,
                   fmt::format("{}:{}: this is not TOML: {}.", file, LineOf(error.source()), error.description()));
  }
}

}  // namespace mirrorfs
