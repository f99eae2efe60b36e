// -o of the commands that show something.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_OUTPUT_FORMAT_H_
#define MIRRORFS_LAUNCHER_COMMANDS_OUTPUT_FORMAT_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace mirrorfs {

enum class OutputFormat : uint8_t { kPlain, kWide, kJson, kName };

// Which of them a command has.
enum class OutputFormats : uint8_t { kPlainAndJson, kAll, kAllAndName };

// "", "json" and, where there are such forms, "wide" and "name"; else kUsage.
absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view word, OutputFormats has);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_OUTPUT_FORMAT_H_
