#include "tests/conformance/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace mirrorfs::conformance {
namespace {

constexpr size_t kShownDifferences = 12;

bool IsErrno(const std::string& result) {
  return result.size() > 2 && result[0] == 'E' &&
         std::all_of(result.begin(), result.end(), [](unsigned char c) { return std::isupper(c) || std::isdigit(c); });
}

// "rename" of "[1000:1000] rename(a, b) = ENOENT"; empty if the line is no call.
std::string CallOf(const std::string& line) {
  const size_t open = line.find('(');
  if (open == std::string::npos || line.find(") = ") == std::string::npos) return {};
  const size_t space = line.rfind(' ', open);
  return line.substr(space == std::string::npos ? 0 : space + 1, open - (space == std::string::npos ? 0 : space + 1));
}

}  // namespace

std::string Difference(const Lines& reference, const Lines& subject) {
  std::string text;
  size_t shown = 0;
  const size_t length = std::max(reference.size(), subject.size());
  for (size_t i = 0; i < length && shown < kShownDifferences; ++i) {
    const std::string expected = i < reference.size() ? reference[i] : "(nothing)";
    const std::string actual = i < subject.size() ? subject[i] : "(nothing)";
    if (expected == actual) continue;
    text += fmt::format("    line {}\n      - {}\n      + {}\n", i + 1, expected, actual);
    ++shown;
  }
  return text;
}

void Coverage::Add(const Lines& trace) {
  for (const std::string& line : trace) {
    const std::string call = CallOf(line);
    if (call.empty()) continue;
    const std::string result = line.substr(line.rfind(") = ") + 4);
    ++counts_[call][IsErrno(result) ? result : "ok"];
  }
}

std::string Coverage::Table() const {
  std::string table = "operation         results that were compared (count)\n";
  for (const auto& [call, results] : counts_) {
    std::string row = fmt::format("{:<17}", call);
    for (const auto& [result, count] : results) row += fmt::format(" {} {}", result, count);
    table += row + "\n";
  }
  return table;
}

}  // namespace mirrorfs::conformance
