#include "launcher/commands/output_format.h"

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view word, OutputFormats has) {
  if (word.empty()) return OutputFormat::kPlain;
  const bool has_wide = has != OutputFormats::kPlainAndJson;
  const bool has_name = has == OutputFormats::kAllAndName;
  if (word == "wide" && has_wide) return OutputFormat::kWide;
  if (word == "json") return OutputFormat::kJson;
  if (word == "name" && has_name) return OutputFormat::kName;
  const char* known = has_name ? "wide, json or name" : has_wide ? "wide or json" : "json";
  return Failure(ExitCode::kUsage, fmt::format("-o {}: write {}.", word, known));
}

}  // namespace mirrorfs
