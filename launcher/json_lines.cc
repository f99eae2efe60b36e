#include "launcher/json_lines.h"

#include "launcher/failure.h"

namespace mirrorfs {

using nlohmann::json;

std::string ToLine(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

std::optional<json> FromLine(std::string_view line) {
  json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  return object;
}

std::string TextField(const json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

bool FlagField(const json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_boolean() && field->get<bool>();
}

int64_t NumberField(const json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_number() ? field->get<int64_t>() : 0;
}

json StatusToJson(const absl::Status& status) {
  if (status.ok()) return {{"ok", true}};
  return {{"ok", false}, {"exit", static_cast<int>(ExitCodeOf(status))}, {"message", MessageOf(status)}};
}

absl::Status StatusFromJson(const json& object) {
  if (FlagField(object, "ok")) return absl::OkStatus();
  const std::string message = TextField(object, "message");
  const int64_t code = NumberField(object, "exit");
  return Failure(code == 0 ? ExitCode::kFailed : static_cast<ExitCode>(code),
                 message.empty() ? "no reason was given" : message);
}

}  // namespace mirrorfs
