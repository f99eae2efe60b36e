#include "launcher/kubernetes/json_path.h"

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

const json& Nothing() {
  static const json kNothing;
  return kNothing;
}

}  // namespace

const json& FieldAt(const json& object, JsonPath path) {
  const json* here = &object;
  for (const std::string_view name : path) {
    if (!here->is_object()) return Nothing();
    const auto found = here->find(name);
    if (found == here->end()) return Nothing();
    here = &*found;
  }
  return *here;
}

std::string TextAt(const json& object, JsonPath path) {
  const json& field = FieldAt(object, path);
  return field.is_string() ? field.get<std::string>() : std::string();
}

int64_t NumberAt(const json& object, JsonPath path) {
  const json& field = FieldAt(object, path);
  return field.is_number() ? field.get<int64_t>() : 0;
}

bool FlagAt(const json& object, JsonPath path) {
  const json& field = FieldAt(object, path);
  return field.is_boolean() && field.get<bool>();
}

const json& ListAt(const json& object, JsonPath path) {
  const json& field = FieldAt(object, path);
  return field.is_array() ? field : Nothing();
}

absl::StatusOr<json> ParseKubectlJson(std::string_view text, std::string_view what) {
  json parsed = json::parse(text, nullptr, false);
  if (parsed.is_object()) return parsed;
  return Failure(ExitCode::kFailed, fmt::format("kubectl {} did not answer with a JSON object.", what));
}

}  // namespace mirrorfs
