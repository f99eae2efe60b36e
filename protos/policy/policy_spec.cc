#include "protos/policy/policy_spec.h"

#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "protos/policy/match_text.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Json = nlohmann::json;

constexpr std::array kModeNames = {
    std::pair{FsMode::kRead, std::string_view("read")},
    std::pair{FsMode::kWrite, std::string_view("write")},
    std::pair{FsMode::kLocal, std::string_view("local")},
    std::pair{FsMode::kLocalWithOverrides, std::string_view("localwithoverrides")},
};

struct Field {
  const char* name;
  std::string* value;
};

absl::Status Invalid(std::string_view where, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("policy: {}: {}", where, what));
}

// An object of just these texts.
absl::Status ReadTexts(const Json& object, const std::string& where, std::initializer_list<Field> fields) {
  if (!object.is_object() || object.size() != fields.size()) return Invalid(where, "not an object of the right fields");
  for (const Field& field : fields) {
    const auto found = object.find(field.name);
    if (found == object.end() || !found->is_string()) return Invalid(where, fmt::format("no text '{}'", field.name));
    *field.value = found->get<std::string>();
  }
  return absl::OkStatus();
}

absl::Status ReadRules(const Json& array, PolicySpec& spec) {
  if (!array.is_array()) return Invalid("rules", "not an array");
  for (const Json& item : array) {
    PolicyRule& rule = spec.rules.emplace_back();
    const std::string where = fmt::format("rules[{}]", spec.rules.size() - 1);
    RETURN_IF_ERROR(
        ReadTexts(item, where, {{"list", &rule.list}, {"pattern", &rule.pattern}, {"origin", &rule.origin}}));
  }
  return absl::OkStatus();
}

absl::Status ReadMappings(const Json& array, PolicySpec& spec) {
  if (!array.is_array()) return Invalid("mappings", "not an array");
  for (const Json& item : array) {
    PathMapping& mapping = spec.mappings.emplace_back();
    const std::string where = fmt::format("mappings[{}]", spec.mappings.size() - 1);
    RETURN_IF_ERROR(ReadTexts(item, where,
                              {{"match", &mapping.match}, {"replace", &mapping.replace}, {"origin", &mapping.origin}}));
  }
  return absl::OkStatus();
}

absl::Status ReadMode(const Json& value, PolicySpec& spec) {
  const auto mode = value.is_string() ? FsModeNamed(value.get<std::string>()) : std::nullopt;
  if (!mode) return Invalid("mode", "not a mode");
  spec.mode = *mode;
  return absl::OkStatus();
}

}  // namespace

std::string_view NameOf(FsMode mode) {
  for (const auto& [value, name] : kModeNames) {
    if (value == mode) return name;
  }
  return "";
}

std::optional<FsMode> FsModeNamed(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  for (const auto& [value, known] : kModeNames) {
    if (known == lower) return value;
  }
  return std::nullopt;
}

std::string EncodePolicySpec(const PolicySpec& spec) {
  Json rules = Json::array();
  for (const PolicyRule& rule : spec.rules) {
    rules.push_back({{"list", PatternText(rule.list)},
                     {"pattern", PatternText(rule.pattern)},
                     {"origin", PatternText(rule.origin)}});
  }
  Json mappings = Json::array();
  for (const PathMapping& mapping : spec.mappings) {
    mappings.push_back({{"match", PatternText(mapping.match)},
                        {"replace", PatternText(mapping.replace)},
                        {"origin", PatternText(mapping.origin)}});
  }
  return Json{{"mode", NameOf(spec.mode)}, {"rules", std::move(rules)}, {"mappings", std::move(mappings)}}.dump(1);
}

absl::StatusOr<PolicySpec> DecodePolicySpec(std::string_view json) {
  const Json object = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Invalid("the text", "not a JSON object");
  PolicySpec spec;
  for (const auto& [name, value] : object.items()) {
    absl::Status read = Invalid(name, "no such field");
    if (name == "mode") read = ReadMode(value, spec);
    if (name == "rules") read = ReadRules(value, spec);
    if (name == "mappings") read = ReadMappings(value, spec);
    RETURN_IF_ERROR(read);
  }
  if (!object.contains("mode")) return Invalid("mode", "missing");
  return spec;
}

}  // namespace mirrorfs
