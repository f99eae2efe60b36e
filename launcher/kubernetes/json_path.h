// Reading what kubectl prints as JSON: whatever is missing or of another type is empty.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_JSON_PATH_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_JSON_PATH_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

using JsonPath = std::initializer_list<std::string_view>;

// null if there is nothing. Valid as long as `object` is.
const nlohmann::json& FieldAt(const nlohmann::json& object, JsonPath path);

std::string TextAt(const nlohmann::json& object, JsonPath path);
int64_t NumberAt(const nlohmann::json& object, JsonPath path);
bool FlagAt(const nlohmann::json& object, JsonPath path);

// A list, or nothing to go through.
const nlohmann::json& ListAt(const nlohmann::json& object, JsonPath path);

// What kubectl has printed. `what` is for the message.
absl::StatusOr<nlohmann::json> ParseKubectlJson(std::string_view text, std::string_view what);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_JSON_PATH_H_
