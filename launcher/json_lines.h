// JSON as keeper, daemon and command say it to each other: one object a line.
#ifndef MIRRORFS_LAUNCHER_JSON_LINES_H_
#define MIRRORFS_LAUNCHER_JSON_LINES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// Bytes that are not UTF-8 become U+FFFD.
std::string ToLine(const nlohmann::json& object);

// Nothing if it is not a JSON object.
std::optional<nlohmann::json> FromLine(std::string_view line);

// A field, or what stands for it if it is missing or of another type.
std::string TextField(const nlohmann::json& object, const char* name);
bool FlagField(const nlohmann::json& object, const char* name);
int64_t NumberField(const nlohmann::json& object, const char* name);

// {"ok":true} or {"ok":false,"exit":N,"message":...}, and back.
nlohmann::json StatusToJson(const absl::Status& status);
absl::Status StatusFromJson(const nlohmann::json& object);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_JSON_LINES_H_
