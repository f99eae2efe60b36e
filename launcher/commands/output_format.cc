#include "launcher/commands/output_format.h"

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view word) {
  if (word.empty()) return OutputFormat::kPlain;
  if (word == "wide") return OutputFormat::kWide;
  if (word == "json") return OutputFormat::kJson;
  return Failure(ExitCode::kUsage, fmt::format("-o {}: write wide or json.", word));
}

}  // namespace mirrorfs
