#include "agent/shared/read_file.h"

#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace mirrorfs {

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  absl::StripTrailingAsciiWhitespace(&text);
  if (!file || text.empty()) return absl::UnavailableError(fmt::format("{}: cannot be read, or is empty", path));
  return text;
}

}  // namespace mirrorfs
