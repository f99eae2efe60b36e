// -o of the commands that show something.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_OUTPUT_FORMAT_H_
#define MIRRORFS_LAUNCHER_COMMANDS_OUTPUT_FORMAT_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace mirrorfs {

enum class OutputFormat : uint8_t { kPlain, kWide, kJson };

// "", "wide", "json"; else kUsage.
absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view word);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_OUTPUT_FORMAT_H_
