#include "launcher/commands/output_format.h"

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view word, OutputFormats has) {
  if (word.empty()) return OutputFormat::kPlain;
  const bool has_wide = has == OutputFormats::kAll;
  if (word == "wide" && has_wide) return OutputFormat::kWide;
  if (word == "json") return OutputFormat::kJson;
  return Failure(ExitCode::kUsage, fmt::format("-o {}: write {}.", word, has_wide ? "wide or json" : "json"));
}

}  // namespace mirrorfs
